// Every word of the page, in one catalogue: key → [English, German].
import { audioTexts } from './texts.audio';
import { imageTexts } from './texts.image';
import { maskTexts } from './texts.masks';
import { ptzTexts } from './texts.ptz';
import { overlayTexts } from './texts.overlays';
import { stageTexts } from './texts.stage';
import { streamTexts } from './texts.stream';
import { viewTexts } from './texts.views';

const texts = {
  ...stageTexts,
  ...ptzTexts,
  ...imageTexts,
  ...maskTexts,
  ...viewTexts,
  ...audioTexts,
  ...overlayTexts,
  ...streamTexts,
  'app.starting': ['Connecting to the camera…', 'Verbindung zur Kamera wird aufgebaut …'],
  'app.unreachable': ['The camera does not answer. Trying again…', 'Die Kamera antwortet nicht. Neuer Versuch …'],
  'nav.live': ['Live', 'Live'],
  'nav.system': ['System', 'System'],
  'nav.places': ['Places', 'Bereiche'],
  'nav.more': ['More', 'Mehr'],
  'nav.logout': ['Log out', 'Abmelden'],

  'setup.title': ['Create the administrator', 'Administrator anlegen'],
  'setup.lead': [
    'This camera has no account yet. The first one may do everything.',
    'Diese Kamera hat noch kein Konto. Das erste darf alles.',
  ],
  'setup.user': ['User name', 'Benutzername'],
  'setup.user.hint': ['Letters, digits, dot, hyphen and underscore', 'Buchstaben, Ziffern, Punkt, Binde- und Unterstrich'],
  'setup.password': ['Password', 'Passwort'],
  'setup.repeat': ['Password again', 'Passwort wiederholen'],
  'setup.zone': ['Time zone of the camera', 'Zeitzone der Kamera'],
  'setup.zone.hint': ['Used for the time written into the picture', 'Gilt für die Uhrzeit im Bild'],
  'setup.create': ['Create and continue', 'Anlegen und weiter'],
  'setup.creating': ['Creating…', 'Wird angelegt …'],
  'setup.plain': [
    'This page came over plain HTTP: whoever listens on the network can read the password. Use HTTPS instead.',
    'Diese Seite kam über einfaches HTTP: Wer im Netz mithört, kann das Passwort lesen. Besser HTTPS verwenden.',
  ],
  'setup.https': ['Switch to HTTPS', 'Zu HTTPS wechseln'],
  'setup.no.recovery': [
    'Write the password down: it cannot be read back or recovered.',
    'Passwort notieren: Es lässt sich nicht auslesen oder wiederherstellen.',
  ],
  'setup.bad.user': ['1 to 64 letters, digits, dots, hyphens or underscores.', '1 bis 64 Buchstaben, Ziffern, Punkte, Binde- oder Unterstriche.'],
  'setup.bad.password': ['1 to 64 characters of plain ASCII.', '1 bis 64 einfache ASCII-Zeichen.'],
  'setup.bad.repeat': ['The two passwords differ.', 'Die beiden Passwörter sind verschieden.'],
  'setup.zone.failed': ['The time zone could not be set: {text}', 'Die Zeitzone ließ sich nicht setzen: {text}'],
  'strength.0': ['Very weak: guessed at once', 'Sehr schwach: sofort erraten'],
  'strength.1': ['Weak: use 8 characters or more', 'Schwach: mindestens 8 Zeichen verwenden'],
  'strength.2': ['Fair: longer is better', 'Mäßig: länger ist besser'],
  'strength.3': ['Strong', 'Stark'],

  'login.title': ['Log in', 'Anmelden'],
  'login.button': ['Log in', 'Anmelden'],
  'login.checking': ['Checking…', 'Wird geprüft …'],
  'login.wrong': ['User name or password is wrong.', 'Benutzername oder Passwort ist falsch.'],
  'login.wait': [
    'Too many wrong passwords. Try again in {n} s.',
    'Zu viele falsche Passwörter. Neuer Versuch in {n} s.',
  ],
  'login.expired': ['The session has ended. Please log in again.', 'Die Sitzung ist beendet. Bitte neu anmelden.'],
  'login.forgot': ['Forgotten the password?', 'Passwort vergessen?'],
  'login.forgot.text': [
    'There is no recovery. Another administrator can set a new one; otherwise only a reset to factory default helps, which deletes all accounts and settings.',
    'Es gibt keine Wiederherstellung. Ein anderer Administrator kann ein neues setzen; sonst hilft nur das Zurücksetzen auf Werkszustand, das alle Konten und Einstellungen löscht.',
  ],
  'login.plain': [
    'Plain HTTP: the password stays in this page, but the picture and everything else can be read on the way.',
    'Einfaches HTTP: Das Passwort bleibt in dieser Seite, doch Bild und alles andere sind unterwegs lesbar.',
  ],
  'show.password': ['Show password', 'Passwort zeigen'],

  'player.off': ['Stopped', 'Angehalten'],
  'player.connecting': ['Connecting', 'Verbinden'],
  'player.live': ['LIVE', 'LIVE'],
  'player.stalled': ['Waiting for pictures', 'Warten auf Bilder'],
  'player.waiting': ['Reconnecting in {n} s', 'Neuer Versuch in {n} s'],
  'player.paused': ['Frozen', 'Eingefroren'],
  'player.hidden': ['Paused while hidden', 'Pausiert, solange verborgen'],
  'player.nosignal': ['No signal', 'Kein Signal'],
  'player.delay': ['Delay from the camera to this screen', 'Verzögerung von der Kamera bis zu diesem Bildschirm'],
  'player.fallback': [
    'This browser cannot play H.264 here, so it gets single pictures.',
    'Dieser Browser kann H.264 hier nicht abspielen und bekommt Einzelbilder.',
  ],
  'player.lost': ['The connection to the camera was lost.', 'Die Verbindung zur Kamera ist abgerissen.'],
  'player.full': ['The camera serves as many viewers as it can.', 'Die Kamera bedient bereits so viele Zuschauer, wie sie kann.'],
  'player.denied': ['This account may not watch.', 'Dieses Konto darf nicht zusehen.'],
  'player.missing': ['The camera has no such stream.', 'Die Kamera hat diesen Stream nicht.'],
  'player.now': ['Try now', 'Jetzt versuchen'],
  'player.nosignal.text': [
    'The camera gets no picture from its source. It goes on by itself when the source is back.',
    'Die Kamera bekommt kein Bild von ihrer Quelle. Es geht von selbst weiter, sobald die Quelle wieder da ist.',
  ],
  'player.picture': ['Live picture', 'Livebild'],
  'player.picture.move': [
    'Live picture. Arrow keys move, plus and minus zoom, question mark lists the keys.',
    'Livebild. Pfeiltasten schwenken, Plus und Minus zoomen, Fragezeichen zeigt die Tasten.',
  ],

  'ptz.pan': ['Pan', 'Schwenk'],
  'ptz.tilt': ['Tilt', 'Neigung'],
  'ptz.zoom': ['Zoom', 'Zoom'],
  'ptz.in': ['Zoom in', 'Hineinzoomen'],
  'ptz.out': ['Zoom out', 'Herauszoomen'],
  'ptz.home': ['Home', 'Grundstellung'],
  'ptz.mode': ['What a click does', 'Was ein Klick tut'],
  'ptz.centre': ['Point', 'Punkt'],
  'ptz.centre.hint': ['Click: that point becomes the centre', 'Klick: Der Punkt wird zur Bildmitte'],
  'ptz.stick': ['Stick', 'Stick'],
  'ptz.stick.hint': ['Press: the camera moves toward the pointer until released', 'Drücken: Die Kamera fährt zum Zeiger, bis losgelassen wird'],
  'ptz.thumb': ['Stick: drag to move the camera', 'Stick: ziehen, um die Kamera zu bewegen'],
  'ptz.limit': ['Limit', 'Anschlag'],
  'ptz.offline': ['Not connected: the camera cannot be moved now.', 'Nicht verbunden: Die Kamera lässt sich gerade nicht bewegen.'],
  'ptz.moving': ['moving', 'in Bewegung'],

  'tool.freeze': ['Freeze', 'Einfrieren'],
  'tool.play': ['Play', 'Weiter'],
  'tool.snapshot': ['Snapshot', 'Schnappschuss'],
  'tool.info': ['Stream information', 'Stream-Informationen'],
  'tool.full': ['Full screen', 'Vollbild'],
  'tool.window': ['Leave full screen', 'Vollbild verlassen'],
  'tool.keys': ['Keys', 'Tasten'],
  'tool.bar': ['Picture tools', 'Werkzeuge'],
  'snapshot.saved': ['Saved {name}', '{name} gespeichert'],
  'snapshot.failed': ['No snapshot: {text}', 'Kein Schnappschuss: {text}'],

  'info.title': ['Stream as this browser gets it', 'Stream, wie ihn dieser Browser bekommt'],
  'info.codec': ['Format', 'Format'],
  'info.size': ['Resolution', 'Auflösung'],
  'info.fps': ['Frame rate', 'Bildrate'],
  'info.kbps': ['Bitrate', 'Bitrate'],
  'info.delay': ['Delay', 'Verzögerung'],
  'info.lost': ['Lost packets', 'Verlorene Pakete'],
  'info.dropped': ['Pictures not shown', 'Nicht gezeigte Bilder'],
  'info.skipped': ['Skipped by the camera', 'Von der Kamera übersprungen'],
  'info.way': ['Shown by', 'Dargestellt mit'],
  'info.auto': ['Automatic', 'Automatisch'],
  'info.last': ['last 60 s', 'letzte 60 s'],
  'way.webcodecs': ['WebCodecs', 'WebCodecs'],
  'way.mse': ['Media Source', 'Media Source'],
  'way.mjpeg': ['Motion JPEG', 'Motion JPEG'],
  'close': ['Close', 'Schließen'],

  'keys.title': ['Keys, mouse and touch', 'Tasten, Maus und Touch'],
  'keys.arrows': ['Move while held; with Shift finely', 'Fahren, solange gedrückt; mit Umschalt fein'],
  'keys.zoom': ['Zoom while held', 'Zoomen, solange gedrückt'],
  'keys.home': ['Home position', 'Grundstellung'],
  'keys.space': ['Freeze and play', 'Einfrieren und weiter'],
  'keys.f': ['Full screen', 'Vollbild'],
  'keys.s': ['Save a snapshot', 'Schnappschuss speichern'],
  'keys.i': ['Stream information', 'Stream-Informationen'],
  'keys.help': ['This list', 'Diese Liste'],
  'keys.esc': ['Stop and close', 'Anhalten und schließen'],
  'keys.click': ['Click', 'Klick'],
  'keys.click.text': ['That point becomes the centre', 'Der Punkt wird zur Bildmitte'],
  'keys.hold': ['Press and hold', 'Gedrückt halten'],
  'keys.hold.text': ['Move toward the pointer until released', 'Fährt zum Zeiger, bis losgelassen wird'],
  'keys.drag': ['Drag a box', 'Rahmen ziehen'],
  'keys.drag.text': ['Fill the picture with it; with Shift zoom out', 'Füllt das Bild damit; mit Umschalt herauszoomen'],
  'keys.wheel': ['Wheel', 'Mausrad'],
  'keys.wheel.text': ['Zoom about the pointer', 'Zoomt um den Zeiger'],
  'keys.touch': ['Touch', 'Touch'],
  'keys.touch.text': ['Tap centres, one finger drags, two fingers zoom', 'Tippen zentriert, ein Finger zieht, zwei Finger zoomen'],
  'key.space': ['Space', 'Leertaste'],
  'key.home': ['Home', 'Pos 1'],
  'key.or': ['or', 'oder'],

  'system.title': ['System', 'System'],
  'system.time': ['Time', 'Zeit'],
  'system.camera.time': ['Camera', 'Kamera'],
  'system.time.off': ['{text} from this browser’s clock', '{text} gegenüber der Uhr dieses Browsers'],
  'system.overlay': ['Text in the picture', 'Text im Bild'],
  'system.overlay.note': [
    'Seen by everybody, at once. %F date, %T time, #r frame rate, #b bitrate, #k key interval, #x #y pan and tilt.',
    'Für alle und sofort sichtbar. %F Datum, %T Uhrzeit, #r Bildrate, #b Bitrate, #k Abstand der Schlüsselbilder, #x #y Schwenk und Neigung.',
  ],
  'system.browser': ['This browser', 'Dieser Browser'],
  'system.theme': ['Appearance', 'Darstellung'],
  'theme.auto': ['System', 'System'],
  'theme.dark': ['Dark', 'Dunkel'],
  'theme.light': ['Light', 'Hell'],
  'system.language': ['Language', 'Sprache'],
  'system.about': ['About', 'Über'],
  'about.product': ['Product', 'Produkt'],
  'about.version': ['Version', 'Version'],
  'about.serial': ['Serial number', 'Seriennummer'],
  'about.user': ['Logged in as', 'Angemeldet als'],
  'about.rtsp': ['RTSP address', 'RTSP-Adresse'],
  'about.connection': ['Connection', 'Verbindung'],
  'about.encrypted': ['Encrypted (HTTPS)', 'Verschlüsselt (HTTPS)'],
  'about.plain': ['Not encrypted (HTTP)', 'Nicht verschlüsselt (HTTP)'],
  'system.readonly': ['Only operators and administrators may change these.', 'Nur Operatoren und Administratoren dürfen dies ändern.'],
  'system.offline': ['Waiting for the camera…', 'Warten auf die Kamera …'],
  'link.waiting': ['No contact with the camera. Trying again in {n} s', 'Kein Kontakt zur Kamera. Neuer Versuch in {n} s'],

  'param.zone': ['Time zone', 'Zeitzone'],
  'param.speech': ['Names of months and days in overlays', 'Monats- und Tagesnamen in Einblendungen'],
  'speech.en': ['English', 'Englisch'],
  'speech.de': ['German', 'Deutsch'],
  'speech.fr': ['French', 'Französisch'],
  'speech.es': ['Spanish', 'Spanisch'],
  'speech.it': ['Italian', 'Italienisch'],
  'speech.nl': ['Dutch', 'Niederländisch'],
  'speech.pt': ['Portuguese', 'Portugiesisch'],
  'speech.sv': ['Swedish', 'Schwedisch'],
  'speech.da': ['Danish', 'Dänisch'],
  'speech.pl': ['Polish', 'Polnisch'],
  'param.resolution': ['Resolution', 'Auflösung'],
  'param.fps': ['Frame rate', 'Bildrate'],
  'param.fps.hint': ['0: as many as the sensor gives', '0: so viele, wie der Sensor liefert'],
  'param.compression': ['Compression', 'Kompression'],
  'param.compression.hint': ['Higher: smaller stream, coarser picture', 'Höher: kleinerer Stream, gröberes Bild'],
  'param.gop': ['Key picture distance', 'Abstand der Schlüsselbilder'],
  'param.gop.hint': ['Pictures between two key pictures, less one', 'Bilder zwischen zwei Schlüsselbildern, weniger eins'],
  'param.ratemode': ['Bitrate control', 'Bitratensteuerung'],
  'param.maxbitrate': ['Maximum bitrate', 'Höchste Bitrate'],
  'param.profile': ['H.264 profile', 'H.264-Profil'],
  'param.text.enabled': ['Show text', 'Text zeigen'],
  'param.text.string': ['Text', 'Text'],
  'param.text.date': ['Show date', 'Datum zeigen'],
  'param.text.clock': ['Show time', 'Uhrzeit zeigen'],
  'param.text.position': ['Position', 'Position'],
  'param.text.size': ['Size', 'Größe'],
  'param.text.color': ['Colour', 'Farbe'],
  'param.text.background': ['Background', 'Hintergrund'],
  'param.default': ['Default: {value}', 'Vorgabe: {value}'],
  'param.yes': ['on', 'ein'],
  'param.no': ['off', 'aus'],
  'undo': ['Undo', 'Rückgängig'],
  'changed': ['{name}: {from} → {to}', '{name}: {from} → {to}'],
  'failed': ['That failed: {text}', 'Das ist fehlgeschlagen: {text}'],
} satisfies Record<string, [string, string]>;

export type TextKey = keyof typeof texts;
export type Language = 'en' | 'de';
const STORE = 'vedette.language';

export const language = $state({
  now: (localStorage.getItem(STORE) || (navigator.language.startsWith('de') ? 'de' : 'en')) as Language,
});

export function speak(l: Language): void {
  language.now = l;
  localStorage.setItem(STORE, l);
  document.documentElement.lang = l;
}
document.documentElement.lang = language.now;

export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  const text: string = texts[key][language.now === 'de' ? 1 : 0];
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

export const isText = (key: string): key is TextKey => key in texts;

/** The reader's own habits of writing dates and numbers, in the language chosen. */
export const locale = () => (navigator.language.startsWith(language.now) ? navigator.language : language.now);

/** A number in the reader's way. */
export function num(value: number, digits: number): string {
  return value.toLocaleString(locale(), { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Degrees with their sign. */
export const signed = (v: number, digits = 1) => (v < 0 ? '−' : v > 0 ? '+' : '') + num(Math.abs(v), digits) + '°';
