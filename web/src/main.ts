import { mount } from 'svelte';
import './app.css';
import './lib/theme.svelte';
import App from './ui/App.svelte';

mount(App, { target: document.getElementById('app')! });
