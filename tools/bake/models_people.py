def make(kit, only, out):
    pass
