# What an expert has in a drawer: ffprobe decides, ffmpeg encodes what fails, two at a time.
# expert.sh IN OUT PRESET all|copy    `copy` keeps each stream that is fine.
set -eu
export OUT=$2 PRESET=$3 MODE=$4
one() {
  f=$1
  out=$OUT/$(basename "${f%.*}").mp4
  p() { ffprobe -v error -select_streams "$1" -show_entries "$2" -of csv=p=0 "$f" | head -n 1; }
  IFS=, read -r vcodec width height pix field rate rest <<EOF
$(p v:0 stream=codec_name,width,height,pix_fmt,field_order,avg_frame_rate)
EOF
  acodec=$(p a:0 stream=codec_name | tr -d ,)
  turn=$(p v:0 stream_side_data=rotation | tr -d ,)
  case $turn in 90|-90|270|-270) side=$width; width=$height; height=$side ;; esac
  tracks=$(ffprobe -v error -show_entries stream=codec_type -of csv=p=0 "$f" | tr -d , | sort | tr '\n' ' ')
  length=$(ffprobe -v error -show_entries format=duration -of csv=p=0 "$f" | cut -d. -f1)
  # Ratios in thousandths, within 1 %: 9:16, 2:3, 1:1.
  ratio=$((width * 1000 / height))
  shape=no
  for good in 563 667 1000; do
    if [ $((ratio * 100)) -ge $((good * 99)) ] && [ $((ratio * 100)) -le $((good * 101)) ]; then shape=ok; fi
  done
  fps=$(( (${rate%/*} + ${rate#*/} - 1) / ${rate#*/} ))
  video=no sound=no
  case $field in progressive|unknown) scan=ok ;; *) scan=no ;; esac
  if [ "$vcodec $pix $scan $shape" = "h264 yuv420p ok ok" ] && [ "$fps" -ge 25 ]; then video=ok; fi
  case $acodec in aac|"") sound=ok ;; esac
  case $f in *.mp4|*.mov) container=ok ;; *) container=no ;; esac
  case $tracks in "video "|"audio video ") ;; *) container=no ;; esac
  if [ "$length" -ge 900 ]; then container=no; fi
  if [ "$video$sound$container" = okokok ]; then cp "$f" "$out"; return; fi
  v="-c:v libx264 -preset $PRESET -crf 20 -pix_fmt yuv420p"
  a="-c:a aac -b:a 128k"
  if [ "$MODE" = copy ] && [ $video = ok ]; then v="-c:v copy"; fi
  if [ "$MODE" = copy ] && [ $sound = ok ]; then a="-c:a copy"; fi
  filter=
  if [ "$v" != "-c:v copy" ]; then
    if [ $scan = no ]; then filter=yadif,; fi
    if [ $shape = no ]; then
      filter="${filter}split[a][b];[a]scale=1080:1080:force_original_aspect_ratio=increase,crop=1080:1080,boxblur=luma_radius=min(h\\,w)/20:luma_power=1:chroma_radius=min(cw\\,ch)/20:chroma_power=1[bg];[b]scale=1080:1080:force_original_aspect_ratio=decrease:force_divisible_by=2[fg];[bg][fg]overlay=(W-w)/2:(H-h)/2,"
    fi
    filter="-vf ${filter}fps=30"
  fi
  ffmpeg -v error -nostdin -y -i "$f" -map 0:v:0 -map 0:a:0? $filter $v $a -t 900 -map_metadata -1 -movflags +faststart "$out"
}
if [ "${5-}" ]; then one "$5"; exit; fi
find "$1" -type f -print0 | sort -z | xargs -0 -n 1 -P 2 sh "$0" "$1" "$2" "$3" "$4"
