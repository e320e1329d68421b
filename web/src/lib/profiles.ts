// Stream profiles: arguments under a name (VAPIX streamprofile.cgi).
import { call } from './api';

export interface Profile {
  name: string;
  description: string;
  parameters: string;
}

interface Answer {
  data?: { streamProfile?: Profile[]; maxProfiles?: number };
  error?: { message: string };
}

async function ask(method: string, params: object): Promise<Answer> {
  const reply = await call('/axis-cgi/streamprofile.cgi', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ apiVersion: '1.0', method, params }),
  });
  if (!reply.ok) throw new Error(reply.statusText || `HTTP ${reply.status}`);
  const answer: Answer = await reply.json();
  if (answer.error) throw new Error(answer.error.message);
  return answer;
}

export async function listProfiles(): Promise<{ profiles: Profile[]; most: number }> {
  const { data } = await ask('list', { streamProfileName: [] });
  return { profiles: data?.streamProfile ?? [], most: data?.maxProfiles ?? 0 };
}
export const createProfile = (p: Profile) => ask('create', { streamProfile: [p] });
export const updateProfile = (p: Profile) => ask('update', { streamProfile: [p] });
export const removeProfile = (name: string) => ask('remove', { streamProfileName: [{ name }] });

/** "a=b&c=d" as a list in order; what has no name of its own in the form is kept. */
export const parseArguments = (text: string): Map<string, string> =>
  new Map(text ? text.split('&').filter(Boolean).map((a): [string, string] => {
    const [name, ...value] = a.split('=');
    return [name, value.join('=')];
  }) : []);
/** Those of a profile; null: there is none of that name. */
export async function profileArguments(name: string): Promise<Map<string, string> | null> {
  const { profiles } = await listProfiles();
  const found = profiles.find((p) => p.name === name);
  return found ? parseArguments(found.parameters) : null;
}
export const joinArguments = (args: Map<string, string>): string =>
  [...args].filter(([, v]) => v !== '').map(([k, v]) => `${k}=${v}`).join('&');
