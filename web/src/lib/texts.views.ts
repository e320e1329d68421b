// The words of view areas.
export const viewTexts = {
  'nav.views': ['Views', 'Ausschnitte'],
  'views.title': ['View areas', 'Ausschnitte'],
  'views.lead': [
    'Parts of the picture that are channels of their own: with their own streams, name, overlays and digital pan, tilt and zoom. Drag their frames on the picture.',
    'Teile des Bildes als eigene Kanäle: mit eigenen Streams, Namen, Einblendungen und digitalem Schwenken, Neigen und Zoomen. Ihre Rahmen im Bild ziehen.',
  ],
  'views.denied': ['Only administrators change view areas.', 'Nur Administratoren ändern Ausschnitte.'],
  'views.none': ['No view areas yet.', 'Noch keine Ausschnitte.'],
  'views.add': ['Add view area', 'Ausschnitt hinzufügen'],
  'views.name': ['Name of channel {n}', 'Name von Kanal {n}'],
  'views.ptz': ['Pan, tilt and zoom within it', 'Darin schwenken, neigen, zoomen'],
  'views.remove': ['Remove {name}', '{name} entfernen'],
  'views.removed': ['{name} was removed', '{name} wurde entfernt'],
  'views.size': ['{w} × {h} of {fw} × {fh} pixels', '{w} × {h} von {fw} × {fh} Bildpunkten'],
  'views.address': ['In streams and pictures: camera={n}', 'In Streams und Bildern: camera={n}'],
  'views.channel': ['Channel', 'Kanal'],
  'views.all': ['All channels', 'Alle Kanäle'],
  'views.shown': ['Channel shown', 'Gezeigter Kanal'],
} satisfies Record<string, [string, string]>;
