#!/usr/bin/env bash
# Installs the Debian packages that are missing, and says which.
# usage: tools/deps.sh build|test|detect   (test and detect include build)
#
# Does nothing, quickly, when everything is there; asks the package index only
# when something is missing; uses sudo only to install, and only when not root.
set -euo pipefail

# name                     why
build_packages="
build-essential            compiler, linker, libc
meson                      build description
ninja-build                build
pkg-config                 finds the libraries
python3                    house rules check, code made at build time
libavcodec-dev             H.264 and H.265 encoders, decoders of the file source
libavformat-dev            containers of the file source
libavutil-dev              pictures and times of the two above
libswscale-dev             colour conversion of decoded files
libswresample-dev          sampling rates of sound
libasound2-dev             ALSA: microphone and loudspeaker
libsvtav1enc-dev           AV1 encoder
libjpeg62-turbo-dev        JPEG
libturbojpeg0-dev          JPEG straight from planes
libssl-dev                 TLS, hashes, keys
libjansson-dev             JSON
libxml2-dev                XML
libpango1.0-dev            text of overlays and signs
libcairo2-dev              painting of overlays and signs
librsvg2-dev               SVG pictures of overlays (in the picture worker)
libseccomp-dev             the picture worker's cage
libcurl4-openssl-dev       vedettectl, heads that are spoken to by HTTP
fonts-dejavu-core          a font for overlays and signs
tzdata                     time zones
"
test_packages="
ffmpeg                     alien: RTSP, RTSPS, files; decodes pictures for tests
gstreamer1.0-tools         alien: gst-launch-1.0
gstreamer1.0-plugins-base  alien: its sinks
gstreamer1.0-plugins-good  alien: rtspsrc, depayloaders
gstreamer1.0-plugins-bad   alien: h264parse
gstreamer1.0-libav         alien: its decoder
nginx-light                alien: the caching proxy that multiplies video
ustreamer                  bench: a peer
motion                     alien: reads our stream
gir1.2-gst-rtsp-server-1.0 bench: a peer
python3-gi                 bench: runs it
curl                       alien: Digest, TLS
chromium                   alien: the web page in a real browser
tesseract-ocr              reads a sign, and overlays, in the picture
tesseract-ocr-ara          reads overlays in Arabic
tesseract-ocr-chi-sim      reads overlays in Chinese
fonts-droid-fallback       Chinese letters for overlays
opencv-doc                 a clip of walking people for the file source
clang                      fuzzers
jq                         reads JSON of vedettectl, as a script would
openssl                    looks at certificates and TLS versions
clang-format               lint
cppcheck                   lint
"

detect_packages="
python3-opencv             runs the detector
python3-onnx               its weights, as OpenCV reads them
"

usage() {
    echo "usage: tools/deps.sh build|test|detect" >&2
    exit 2
}
[ $# -eq 1 ] || usage
case $1 in
build) wanted=$build_packages ;;
test) wanted=$build_packages$test_packages ;;
detect) wanted=$build_packages$detect_packages ;;
*) usage ;;
esac
names=$(awk 'NF { print $1 }' <<<"$wanted")

if ! command -v dpkg-query >/dev/null; then
    echo "deps: this is no Debian; if the build misses something, see the list in tools/deps.sh" >&2
    exit 0
fi

# Node.js 18 or newer may come from anywhere: the web page is built with it.
node_major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p' || true)
[ "${node_major:-0}" -ge 18 ] || names+=$'\nnodejs'
command -v npm >/dev/null || names+=$'\nnpm'

# libFuzzer and the sanitizers of clang: a package of clang's own major version.
clang_runtime_there() {
    local dir
    dir=$(clang -print-resource-dir 2>/dev/null) || return 1
    find "$dir/lib" -name 'libclang_rt.fuzzer*.a' 2>/dev/null | grep -q .
}
clang_runtime_name() {
    local version
    version=$(apt-cache depends clang 2>/dev/null |
        sed -n 's/^ *Depends: clang-\([0-9][0-9]*\)$/\1/p' | head -n 1)
    echo "libclang-rt-${version:-14}-dev"
}

installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2>/dev/null |
    awk '$1 == "ii" { print $2 }' | sort -u)
missing=$(comm -23 <(sort -u <<<"$names") - <<<"$installed")
runtime=no
[ "$1" = test ] && ! clang_runtime_there && runtime=yes
[ -n "$missing" ] || [ $runtime = yes ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "deps: missing, and neither root nor sudo here; install:" $missing >&2
        exit 1
    }
    as_root=(sudo)
fi
# Said before sudo asks for a password. What clang's runtime is called, only a fresh
# index knows.
echo "deps: installing${as_root:+ with sudo} (this may take minutes):" $missing \
    $([ $runtime = no ] || echo "and the runtime of clang's fuzzer")
quiet=(-qq -o DPkg::Lock::Timeout=300)
"${as_root[@]}" apt-get "${quiet[@]}" update ||
    echo "deps: the package index is not quite fresh; trying with what is there" >&2
[ $runtime = no ] || missing+=$'\n'$(clang_runtime_name)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get "${quiet[@]}" -y --no-install-recommends install $missing >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    exit 1
fi
