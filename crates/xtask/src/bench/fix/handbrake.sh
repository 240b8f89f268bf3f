# HandBrake in a loop: everything is encoded, as it copies no picture.
# handbrake.sh IN OUT PRESET
set -eu
find "$1" -type f | sort | while read -r f; do
  HandBrakeCLI -i "$f" -o "$2/$(basename "${f%.*}").mp4" -e x264 -q 20 --encoder-preset "$3" -r 30 --cfr \
    --maxWidth 1080 --maxHeight 1920 --loose-anamorphic -E av_aac -B 128 --optimize --stop-at duration:900 \
    < /dev/null > /dev/null 2>&1
done
