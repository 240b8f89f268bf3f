# What a folder takes without pinpress: ffprobe decides, ffmpeg encodes whatever fails, and takes a thumbnail.
# whole.sh IN OUT PRESET AT_ONCE EXPERT    EXPERT is the script that does one file.
set -eu
export IN=$1 OUT=$2 PRESET=$3 EXPERT=$5
find "$1" -type f -print0 | sort -z | xargs -0 -n 1 -P "$4" sh -c '
  sh "$EXPERT" "$IN" "$OUT" "$PRESET" all "$1"
  out=$OUT/$(basename "${1%.*}")
  ffmpeg -v error -nostdin -y -i "$out.mp4" -vf thumbnail -frames:v 1 -q:v 2 "$out.cover.jpg"' sh
