"""Bakes a scene into layers, as seen from the one spot where the camera stands.

    WORK=folder blender -b -t 2 -P tools/bake/bake.py -- SCENE [options]

SCENE names a module beside this file (street, hall). It offers:
    NAME      the place's name
    EYE       (x, y, z) in metres; x east, y north, z up
    SUNS      four (pan, elevation) in degrees, the sun's own direction
    PATCHES   [(name, pan0, pan1, tilt0, tilt1, px_per_deg)], coarse before fine
    LAYERS    {layer: samples} overrides of SAMPLES below, may be absent
    WORLD     False: no sky light at all (absent: True)
    coarse(patch, layer)  (n, f): that light is rendered n times coarser with f times the samples
              and widened along the surfaces; may be absent
    CALM      True: the light's noise is taken out here already (rooms), see widen.py
    prepare(layer)  called before each piece, may be absent
    build()   makes the Blender scene; common.sign/plate/lamp note what place.json must know. Lights carry a group: common.light(..., group='lamps' or
              'windows'); glowing surfaces: common.glow(material, colour, strength); what the
              wind moves: common.sways(material). No suns, no sky, no camera: those are made here.

Every patch is cut into pieces; each layer of each piece becomes one .npz in
$WORK/NAME[-scale]/, and pieces which exist are not rendered again, so a bake may be ended and
taken up, or several run side by side. pack.py makes the place of them. The built scene is kept as $WORK/NAME.blend; give
--build to make it anew.

Options: --build, --scale F (pixels per degree times F), --spp F (samples times F),
--only PATCH,…, --layers LAYER,…, --view PAN,TILT,HFOV,FILE (a plain picture to look at:
sun 1 and sky; --sun N another, --size WxH; several --view allowed), --stop HH:MM (UTC),
--mend PAN0,PAN1,TILT0,TILT1 (only that rectangle, for mend.py; several allowed).
"""
import importlib, json, math, os, struct, sys, time, zlib

import addon_utils
import bpy
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import widen
from layout import BOUNCE, ORDER, SAMPLES, SOFT, SUN_LAYERS, folder, mended, piece_path, pieces

WORK = os.environ['WORK']


def read_exr(path):
    """Channels of an uncompressed scan-line EXR as float32 arrays."""
    b = np.fromfile(path, np.uint8)
    raw = b.tobytes()
    i, head = 8, {}
    while raw[i]:
        e = raw.index(b'\0', i); name = raw[i:e].decode()
        f = raw.index(b'\0', e + 1)
        size = struct.unpack_from('<i', raw, f + 1)[0]
        head[name] = raw[f + 5:f + 5 + size]
        i = f + 5 + size
    assert head['compression'] == b'\0', 'EXR must be uncompressed'
    x0, y0, x1, y1 = struct.unpack('<4i', head['dataWindow'])
    w, h = x1 - x0 + 1, y1 - y0 + 1
    ch, j, c = [], 0, head['channels']
    while c[j]:
        e = c.index(b'\0', j)
        ch.append((c[j:e].decode(), struct.unpack_from('<i', c, e + 1)[0]))
        j = e + 17
    start = i + 1 + 8 * h
    line = sum(w * (2 if t == 1 else 4) for _, t in ch)
    rows = b[start:start + h * (line + 8)].reshape(h, line + 8)[:, 8:]
    out, at = {}, 0
    for name, t in ch:
        n = w * (2 if t == 1 else 4)
        out[name] = np.ascontiguousarray(rows[:, at:at + n]).view('<f2' if t == 1 else '<f4').astype(np.float32)
        at += n
    return out


def channel(ex, name, sub):
    for k, v in ex.items():
        if k.endswith('.' + name + '.' + sub) or k == name + '.' + sub:
            return v
    raise KeyError(name + '.' + sub + ' not in ' + ' '.join(ex))


def rgb(ex, name):
    return np.stack([channel(ex, name, s) for s in 'RGB'], -1)


# ---- the scene's own lights: suns and skies ----

def sky_world(kind):
    """A neutral dome which lights a level white card to radiance 1; colour comes at run time.
    clear: brighter at the horizon; overcast: the CIE standard sky, three times darker there."""
    w = bpy.data.worlds.new('bake_' + kind)
    w.use_nodes = True
    nt = w.node_tree
    geo = nt.nodes.new('ShaderNodeTexCoord')
    sep = nt.nodes.new('ShaderNodeSeparateXYZ')
    nt.links.new(geo.outputs['Generated'], sep.inputs[0])

    def m(op, a, b=None, clamp=False):
        n = nt.nodes.new('ShaderNodeMath')
        n.operation, n.use_clamp = op, clamp
        for k, v in enumerate((a, b)):
            if v is None:
                continue
            if isinstance(v, (int, float)):
                n.inputs[k].default_value = v
            else:
                nt.links.new(v, n.inputs[k])
        return n.outputs[0]
    z = sep.outputs['Z']
    up = m('ADD', z, 0, True)
    if kind == 'clear':  # .85 + .9 (1 - z)^2; its mean over a level card is 1
        v = m('ADD', m('MULTIPLY', m('POWER', m('SUBTRACT', 1, up), 2), .9), .85)
    else:                # 9/7 (1 + 2 z) / 3
        v = m('ADD', m('MULTIPLY', up, 6 / 7), 3 / 7)
    below = m('GREATER_THAN', z, -.02)
    v = m('MULTIPLY', v, m('ADD', m('MULTIPLY', below, .8), .2))
    nt.links.new(v, nt.nodes['Background'].inputs['Strength'])
    nt.nodes['Background'].inputs['Color'].default_value = (1, 1, 1, 1)
    w.cycles.sampling_method = 'MANUAL'
    w.cycles.sample_map_resolution = 256
    return w


def sun_object(pan, elevation):
    d = bpy.data.lights.new('bake_sun', 'SUN')
    d.energy, d.angle = math.pi, math.radians(.53)
    o = bpy.data.objects.new('bake_sun', d)
    # a sun lamp shines along its -z; turn it so that it comes from pan, elevation
    o.rotation_euler = (math.radians(90 - elevation), 0, math.radians(180 - pan))
    bpy.context.scene.collection.objects.link(o)
    return o


class Baker:
    def __init__(self, scene, scale=1.):
        self.scene, self.scale = scene, scale
        self.sc = sc = bpy.context.scene
        sc.render.engine = 'CYCLES'
        cy = sc.cycles
        cy.device, cy.use_denoising, cy.use_adaptive_sampling = 'CPU', False, False
        cy.caustics_reflective = cy.caustics_refractive = False
        cy.sample_clamp_indirect, cy.sample_clamp_direct = 4, 0
        cy.transparent_max_bounces = 12
        cy.min_transparent_bounces = 12  # or roulette makes noise of what is behind panes
        cy.blur_glossy = 1
        cy.use_auto_tile = False
        cy.pixel_filter_type, cy.filter_width = 'BLACKMAN_HARRIS', 1.5
        sc.render.use_persistent_data = True
        sc.render.threads_mode, sc.render.threads = 'FIXED', 2
        sc.render.film_transparent = True
        sc.render.resolution_percentage = 100
        sc.render.use_border = False
        sc.display_settings.display_device = 'sRGB'
        sc.view_settings.view_transform = 'Standard'
        cam = bpy.data.cameras.new('bake_cam')
        self.cam = bpy.data.objects.new('bake_cam', cam)
        self.cam.location = scene.EYE
        self.cam.rotation_euler = (math.pi / 2, 0, 0)
        cam.clip_start, cam.clip_end = .05, 5000
        sc.collection.objects.link(self.cam)
        sc.camera = self.cam
        self.suns = [sun_object(*s) for s in scene.SUNS]
        self.worlds = {k: sky_world(k) for k in ('clear', 'overcast')}
        dark = bpy.data.worlds.new('bake_dark')
        dark.use_nodes = True
        dark.node_tree.nodes['Background'].inputs['Strength'].default_value = 0
        self.worlds['dark'] = dark

        # materials with a plain twin (common.Nodes.plain): which of the two is set per layer.
        # Leaves, blades and car paint keep both, for they pass or throw light in their own way.
        self.twins = []
        for m in bpy.data.materials:
            if not m.use_nodes or m.pass_index or ':' in m.name or m.name.startswith('blade'):
                continue
            for l in list(m.node_tree.links):
                if l.from_node.type == 'LIGHT_PATH' and l.to_node.type == 'MIX_SHADER':
                    s = l.to_socket
                    m.node_tree.links.remove(l)
                    self.twins.append(s)
        # panes (common.glass): chance decides whether a ray goes through or is thrown back
        self.panes = [(m.node_tree, l.from_socket, l.to_socket) for m in bpy.data.materials if m.use_nodes
                      if any(n.type == 'BSDF_TRANSPARENT' for n in m.node_tree.nodes)
                      for l in m.node_tree.links if l.to_node.type == 'MIX_SHADER' and l.to_socket.type == 'VALUE']
        self.detail(True)

    def mirrors(self, on):
        for nt, a, z in self.panes:
            if on and not z.is_linked:
                nt.links.new(a, z)
            elif not on and z.is_linked:
                nt.links.remove(z.links[0])
                z.default_value = 0

    def detail(self, on):
        for s in self.twins:
            if s.default_value != float(on):
                s.default_value = float(on)

    def light(self, sun=-1, world='dark', group=None, emit=False):
        """Only these lights: one sun, one sky, one group of lamps, surfaces that glow."""
        for i, s in enumerate(self.suns):
            s.hide_render = i != sun
        if not getattr(self.scene, 'WORLD', True):
            world = 'dark'
        self.sc.world = self.worlds[world]
        for o in bpy.data.objects:
            if o.type == 'LIGHT' and 'group' in o:
                o.hide_render = o['group'] != group
        for m in bpy.data.materials:
            if 'emit' in m:
                for n in m.node_tree.nodes:
                    if n.type == 'BSDF_PRINCIPLED':
                        n.inputs['Emission Strength'].default_value = m['emit'] if emit else 0

    def render(self, samples, bounces, seed, path):
        sc = self.sc
        cy = sc.cycles
        cy.samples, cy.seed = samples, seed
        cy.max_bounces = cy.diffuse_bounces = cy.glossy_bounces = cy.transmission_bounces = bounces
        sc.render.filepath = path
        bpy.ops.render.render(write_still=True)

    def pano(self, p, x0, x1, y0, y1, div):
        c = self.cam.data
        c.type = 'PANO'
        c.cycles.panorama_type = 'EQUIRECTANGULAR'
        ppd = p['px_per_deg']
        c.cycles.longitude_min = math.radians(p['pan0'] + x0 / ppd)
        c.cycles.longitude_max = math.radians(p['pan0'] + x1 / ppd)
        c.cycles.latitude_min = math.radians(p['tilt1'] - y1 / ppd)
        c.cycles.latitude_max = math.radians(p['tilt1'] - y0 / ppd)
        self.sc.render.resolution_x = (x1 - x0) // div
        self.sc.render.resolution_y = (y1 - y0) // div

    def piece(self, p, x0, x1, y0, y1, layer, factor, path):
        samples, div, bounces = SAMPLES[layer]
        coarse, more = getattr(self.scene, 'coarse', lambda patch, layer: (1, 1))(p['name'], layer)
        samples = max(1, round(samples * factor * more))
        vl = self.sc.view_layers[0]
        getattr(self.scene, 'prepare', lambda layer: None)(layer)
        for k in ('z', 'normal', 'diffuse_color', 'material_index', 'diffuse_direct', 'emit'):
            setattr(vl, 'use_pass_' + k, False)
        vl.use_pass_diffuse_color = True
        if layer == 'geo':
            vl.use_pass_z = vl.use_pass_normal = vl.use_pass_material_index = True
            self.light()
        elif layer in SUN_LAYERS or layer in BOUNCE:
            vl.use_pass_diffuse_direct = True
            self.light(sun=int(layer[-1]))
        elif layer == 'emit':
            vl.use_pass_emit = True
            self.light(emit=True)
        elif layer in ('sky', 'overcast'):
            self.light(world='clear' if layer == 'sky' else 'overcast')
        else:
            self.light(group=layer)
        # light does not depend on paint, so its layers go without (but where one sees so near
        # that bumps throw shadows)
        self.detail(layer in ('geo', 'emit') or layer in SUN_LAYERS and p['px_per_deg'] > 100)
        # the colour and the sun behind a pane shall have no noise of it
        self.mirrors(layer != 'geo' and layer not in SUN_LAYERS)
        self.pano(p, x0, x1, y0, y1, div * coarse)
        im = self.sc.render.image_settings
        im.file_format, im.color_depth, im.exr_codec = 'OPEN_EXR_MULTILAYER', '32', 'NONE'
        exr = path + '.exr'
        self.render(samples, bounces, 1 + zlib.crc32(('%s %d %d' % (layer, x0, y0)).encode()) % 1000, exr)
        ex = read_exr(exr)
        os.remove(exr)
        col = rgb(ex, 'DiffCol')
        if layer == 'geo':
            out = {'albedo': col.astype(np.float16), 'z': channel(ex, 'Depth', 'Z'),
                   'alpha': (channel(ex, 'Combined', 'A').clip(0, 1) * 255 + .5).astype(np.uint8),
                   'normal': np.stack([channel(ex, 'Normal', s) for s in 'XYZ'], -1).astype(np.float16),
                   'sway': (channel(ex, 'IndexMA', 'X') > 0).astype(np.uint8)}
        elif layer in SUN_LAYERS:
            out = {'v': rgb(ex, 'DiffDir').max(-1).astype(np.float16)}
        else:
            if layer == 'emit':
                c = rgb(ex, 'Emit')
            else:
                c = rgb(ex, 'Combined')
                if layer in BOUNCE:
                    c = (c - rgb(ex, 'DiffDir') * col).clip(0)
            a = channel(ex, 'Combined', 'A')[..., None]
            # where sky shares a pixel both sums lack the same share, which cancels
            out = {'v': (c / np.maximum(col, .02 * a.clip(.05))).astype(np.float32)}
        calm = getattr(self.scene, 'CALM', False)
        soft = calm and layer in SOFT and layer != 'emit'
        shade = calm and layer in SUN_LAYERS
        if coarse > 1 or soft or shade:
            ppd = p['px_per_deg']
            window = [p['pan0'] + x0 / ppd, p['pan0'] + x1 / ppd, p['tilt1'] - y1 / ppd, p['tilt1'] - y0 / ppd]
            with np.load(piece_path(self.scene, self.scale, p['name'], 'geo', x0, y0) + '.npz') as geo:
                if soft:
                    out['v'] = widen.calm(out['v'], window, geo['z'], geo['normal'])
                if coarse > 1:
                    out['v'] = widen.widen(out['v'], (x1 - x0) // div, (y1 - y0) // div, window, geo['z'], geo['normal'])
                if shade:
                    out['v'] = widen.soften(out['v'], window, geo['z'], geo['normal'], 2 if coarse == 1 else 3)
        np.savez(path + '.tmp.npz', **out)
        os.rename(path + '.tmp.npz', path + '.npz')


def arguments():
    a = sys.argv[sys.argv.index('--') + 1:]
    o = {'scene': a[0], 'scale': 1., 'spp': 1., 'view': [], 'mend': [], 'sun': 1, 'size': '960x540',
         'only': None, 'layers': None, 'build': False, 'stop': None}
    i = 1
    while i < len(a):
        k = a[i][2:]
        if k == 'build':
            o[k] = True
            i += 1
            continue
        v = a[i + 1]
        i += 2
        if k in ('view', 'mend'):
            o[k].append(v)
        elif k in ('only', 'layers'):
            o[k] = v.split(',')
        elif k in ('scale', 'spp'):
            o[k] = float(v)
        elif k == 'sun':
            o[k] = int(v)
        else:
            o[k] = v
    return o


def view(b, o, spec):
    pan, tilt, hfov, path = spec.split(',')
    c = b.cam.data
    c.type, c.sensor_fit = 'PERSP', 'HORIZONTAL'
    c.angle = math.radians(float(hfov))
    b.cam.rotation_euler = (math.radians(90 + float(tilt)), 0, math.radians(-float(pan)))
    w, h = o['size'].split('x')
    sc = b.sc
    sc.render.resolution_x, sc.render.resolution_y = int(w), int(h)
    sc.render.film_transparent = False
    night = o['sun'] >= 4
    b.light(sun=o['sun'] if o['sun'] >= 0 else -1, world='dark' if night else 'clear' if o['sun'] >= 0 else 'overcast',
            group='lamps' if night else None, emit=night)
    if not night:
        n = b.sc.world.node_tree.nodes['Background']
        n.inputs['Color'].default_value = (.22, .30, .42, 1)
    sc.view_settings.view_transform = 'Filmic'
    sc.view_settings.look = 'Medium High Contrast'
    sc.view_settings.exposure = 0.9 if not night else 4
    im = sc.render.image_settings
    im.file_format, im.color_mode = 'PNG', 'RGB'
    b.render(max(1, round(16 * o['spp'])), 2, 1, path)


def claim(path):
    """Several bakes may share the pieces; a lock whose owner has gone does not count."""
    lock = path + '.lock'
    try:
        with open(lock) as f:
            os.kill(int(f.read()), 0)
        return False
    except FileNotFoundError:
        pass
    except (ValueError, ProcessLookupError):
        os.remove(lock)
    try:
        fd = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return False
    os.write(fd, b'%d' % os.getpid())
    os.close(fd)
    return not os.path.exists(path + '.npz')


def main():
    o = arguments()
    scene = importlib.import_module(o['scene'])
    addon_utils.enable('cycles')
    SAMPLES.update({k: (v,) + SAMPLES[k][1:] if isinstance(v, int) else v
                    for k, v in getattr(scene, 'LAYERS', {}).items()})
    blend = os.path.join(WORK, scene.NAME + '.blend')
    t = time.time()
    if o['build'] or not os.path.exists(blend):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        addon_utils.enable('io_scene_obj')
        addon_utils.enable('cycles')
        scene.build()
        import common
        with open(os.path.join(WORK, scene.NAME + '.place.json'), 'w') as f:
            json.dump(common.RECORD, f)
        bpy.ops.wm.save_as_mainfile(filepath=blend, compress=False)
        print('built in %.0f s' % (time.time() - t), flush=True)
    else:
        bpy.ops.wm.open_mainfile(filepath=blend)
    b = Baker(scene, o['scale'])
    if o['view']:
        for v in o['view']:
            t = time.time()
            view(b, o, v)
            print('view', v, '%.0f s' % (time.time() - t), flush=True)
        return
    os.makedirs(folder(scene, o['scale']), exist_ok=True)
    for patch in [m[2] for r in o['mend'] for m in mended(scene, r)] or scene.PATCHES:
        p, parts = pieces(scene, o['scale'], patch)
        if o['only'] and p['name'] not in o['only']:
            continue
        for layer in ORDER:
            if o['layers'] and layer not in o['layers']:
                continue
            for x0, x1, y0, y1 in parts:
                path = piece_path(scene, o['scale'], p['name'], layer, x0, y0)
                if os.path.exists(path + '.npz'):
                    continue
                if o['stop'] and time.strftime('%H:%M', time.gmtime()) >= o['stop']:
                    print('time is up before', path, flush=True)
                    return
                if not claim(path):
                    continue
                t = time.time()
                b.piece(p, x0, x1, y0, y1, layer, o['spp'], path)
                os.remove(path + '.lock')
                n = (x1 - x0) * (y1 - y0) / SAMPLES[layer][1] ** 2 / 1e6
                print('%s %s %d,%d: %.2f Mpx, %.1f s' % (p['name'], layer, x0, y0, n, time.time() - t), flush=True)
    print('complete', flush=True)


if __name__ == '__main__':
    main()
