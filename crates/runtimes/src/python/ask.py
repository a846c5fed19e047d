import importlib.util, json, os, platform, sys
pip = None
if importlib.util.find_spec("pip"):
    try:
        import pip as module
        pip = module.__version__
    except Exception:
        pass
print(json.dumps({
    "version": platform.python_version(),
    "minor": list(sys.version_info[:2]),
    "implementation": sys.implementation.name,
    "platform": platform.system().lower() + "-" + platform.machine(),
    "prefix": os.path.realpath(sys.prefix),
    "base_prefix": os.path.realpath(sys.base_prefix),
    "has_venv": importlib.util.find_spec("venv") is not None,
    "pip": pip,
}))
