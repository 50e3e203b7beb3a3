"""Containers and codecs, as they are meant to be."""

from typing import Any

from support.corpus.kit import (
    AAC,
    AV1,
    MP2,
    MP3,
    MPEG2,
    MPEG4,
    OPUS,
    PCM,
    VP8,
    VP9,
    X264,
    X265,
    Row,
    coded,
    copied,
)

FRAGMENTS = ("-movflags", "+frag_keyframe+empty_moov+default_base_moof")
MJPEG = ("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p")
FLAC = ("-c:a", "flac")
VORBIS = ("-c:a", "libvorbis")
AC3 = ("-c:a", "ac3", "-b:a", "192k")
RGB = ("-pix_fmt", "rgb24")
PAL = {"size": "720x576"}
STEREO = ("-ac", "2")
AVI_RATE: dict[str, Any] = {"slack_s": 0.045, "sound_slack_s": 0.045}
"""An AVI knows no times of frames, only the order in which they are coded: where the first one is, is guessed."""

MP4 = (
    coded("h264-aac.mp4", "H.264, AAC", *X264, *AAC),
    coded("faststart.mp4", "index first", *X264, *AAC, "-movflags", "+faststart"),
    coded("hevc-aac.mp4", "HEVC, AAC", *X265, *AAC, "-tag:v", "hvc1"),
    coded("mpeg4-mp3.mp4", "MPEG-4 part 2, MP3", *MPEG4, "-bf", "2", *MP3),
    coded("vp9-opus.mp4", "VP9, Opus", *VP9, *OPUS),
    coded("av1-aac.mp4", "AV1, AAC", *AV1, *AAC),
    coded("h264-alac.mp4", "H.264, Apple lossless", *X264, "-c:a", "alac"),
    coded("h264-ac3.mp4", "H.264, AC-3", *X264, *AC3),
    coded("h264-flac.mp4", "H.264, FLAC", *X264, *FLAC, "-strict", "-2"),
    coded("h264-silent.mp4", "no sound", *X264, sound_s=0),
    coded("mjpeg.mp4", "Motion JPEG", *MJPEG, *AAC),
    coded("mpeg2.mp4", "MPEG-2", *MPEG2, *AAC),
    coded("phone.3gp", "H.263", "-c:v", "h263", "-q:v", "3", *AAC, "-ar", "48000", size="352x288"),
    coded("fragments.mp4", "fragmented: H.264, AAC", *X264, *AAC, *FRAGMENTS),
    coded("fragments-hevc.mp4", "fragmented: HEVC, AAC", *X265, *AAC, *FRAGMENTS),
    coded("fragments-vp9.mp4", "fragmented: VP9, Opus", *VP9, *OPUS, *FRAGMENTS),
    coded("fragments-av1.mp4", "fragmented: AV1, Opus", *AV1, *OPUS, *FRAGMENTS),
    coded(
        "fragment-a-frame.mp4", "a fragment for each frame", *X264, *AAC, "-movflags", "+frag_every_frame+empty_moov"
    ),
    coded("fragments-delayed.mp4", "fragmented, as OBS does it", *X264, *AAC, "-movflags", "+frag_keyframe+delay_moov"),
    coded("fragments-cmaf.mp4", "fragmented, negative offsets", *X264, *AAC, "-movflags", "+cmaf+frag_keyframe"),
)
MOV = (
    coded("h264-pcm.mov", "H.264, PCM", *X264, "-c:a", "pcm_s16be"),
    coded("prores.mov", "ProRes, PCM in 24 bit", "-c:v", "prores_ks", "-profile:v", "0", "-c:a", "pcm_s24le"),
    coded(
        "prores4444.mov", "ProRes 4:4:4:4 with alpha", "-c:v", "prores_ks", "-pix_fmt", "yuva444p10le", *PCM, seconds=4
    ),
    coded("mjpeg.mov", "Motion JPEG, µ-law", *MJPEG, "-c:a", "pcm_mulaw"),
    coded("qtrle.mov", "Animation, with alpha", "-c:v", "qtrle", "-pix_fmt", "argb", *PCM),
    coded("dnxhd.mov", "DNxHR", "-c:v", "dnxhd", "-profile:v", "dnxhr_lb", "-pix_fmt", "yuv422p", *PCM, size="480x270"),
    coded(
        "svq1.mov", "Sorenson 1, IMA ADPCM", "-c:v", "svq1", "-q:v", "3", "-pix_fmt", "yuv410p", "-c:a", "adpcm_ima_qt"
    ),
    coded("cinepak.mov", "Cinepak", "-c:v", "cinepak", *PCM, size="160x120", seconds=4),
    coded("png.mov", "PNG", "-c:v", "png", *PCM),
    coded("jpeg2000.mov", "JPEG 2000", "-c:v", "jpeg2000", "-pix_fmt", "yuv420p", *PCM, area="codecs"),
    coded("rpza.mov", "Apple Video", "-c:v", "rpza", *PCM, area="codecs"),
    coded("smc.mov", "Apple Graphics", "-c:v", "smc", *PCM, area="codecs"),
    coded("cfhd.mov", "CineForm", "-c:v", "cfhd", "-pix_fmt", "yuv422p10le", *PCM),
    coded("dv.mov", "DV", "-c:v", "dvvideo", "-pix_fmt", "yuv420p", *PCM, "-ar", "48000", *STEREO, **PAL),
    coded("raw.mov", "uncompressed", "-c:v", "rawvideo", "-pix_fmt", "uyvy422", *PCM),
    coded("v210.mov", "uncompressed, 10 bit", "-c:v", "v210", *PCM, size="192x108", seconds=4),
)
MATROSKA = (
    coded("h264-aac.mkv", "H.264, AAC", *X264, *AAC),
    coded("h264-flac.mkv", "H.264, FLAC", *X264, *FLAC),
    coded("hevc-ac3.mkv", "HEVC, AC-3", *X265, *AC3),
    coded("mpeg2-mp2.mkv", "MPEG-2", *MPEG2, *MP2),
    coded("vp8-vorbis.mkv", "VP8, Vorbis", *VP8, *VORBIS),
    coded("av1-flac.mkv", "AV1, FLAC", *AV1, *FLAC),
    coded("ffv1-pcm.mkv", "FFV1, PCM", "-c:v", "ffv1", *PCM),
    coded("theora-vorbis.mkv", "Theora", "-c:v", "libtheora", "-q:v", "8", *VORBIS),
    coded("mjpeg-mp3.mkv", "Motion JPEG, MP3", *MJPEG, *MP3),
    coded("mpeg4-opus.mkv", "MPEG-4 part 2 with B-frames, Opus", *MPEG4, "-bf", "2", *OPUS),
    coded("raw.mkv", "uncompressed", "-c:v", "rawvideo", *PCM),
    coded("utvideo.mkv", "Ut Video", "-c:v", "utvideo", *PCM),
    coded("huffyuv.mkv", "HuffYUV", "-c:v", "huffyuv", "-pix_fmt", "yuv422p", *PCM),
    coded("eac3.mkv", "E-AC-3", *X264, "-c:a", "eac3"),
    coded("dts.mkv", "DTS", *X264, "-c:a", "dca", "-strict", "-2"),
    coded("truehd.mkv", "TrueHD", *X264, "-c:a", "truehd", "-strict", "-2", *STEREO, area="codecs"),
    coded("mlp.mkv", "MLP", *X264, "-c:a", "mlp", "-strict", "-2", *STEREO, area="codecs"),
    coded("alac.mkv", "Apple lossless", *X264, "-c:a", "alac"),
    coded("wavpack.mkv", "WavPack", *X264, "-c:a", "wavpack", area="codecs", refusal="accepted"),
    coded("tta.mkv", "True Audio", *X264, "-c:a", "tta", area="codecs", refusal="accepted"),
    coded("float.mkv", "PCM in floating point", *X264, "-c:a", "pcm_f32le"),
    coded("zmbv.mkv", "DOSBox's codec", "-c:v", "zmbv", *PCM, area="codecs"),
    coded("dirac.mkv", "Dirac (VC-2)", "-c:v", "vc2", *PCM, area="codecs", seconds=4, refusal="accepted"),
    coded("vp8-vorbis.webm", "VP8, Vorbis", *VP8, *VORBIS),
    coded("vp9-opus.webm", "VP9, Opus", *VP9, *OPUS),
    coded("av1-opus.webm", "AV1, Opus", *AV1, *OPUS),
    coded("vp8-hidden.webm", "VP8 with hidden frames", *VP8[:-2], "-auto-alt-ref", "1", "-lag-in-frames", "8", *OPUS),
    coded("vp9-hidden.webm", "VP9 with superframes", *VP9, "-auto-alt-ref", "1", "-lag-in-frames", "10", *OPUS),
    coded("live-vp8.webm", "no length, no index", *VP8, *OPUS, "-live", "1"),
    coded("live-vp9.webm", "no length, no index", *VP9, *OPUS, "-live", "1"),
    copied("live-av1.webm", "no length, no index", (*AV1, *OPUS), ("-live", "1")),
    coded("live-h264.mkv", "as Chrome records with H.264", *X264, *OPUS, "-live", "1"),
)
TRANSPORT = (
    coded("h264-aac.ts", "H.264, AAC", *X264, *AAC),
    coded("hevc-aac.ts", "HEVC, AAC", *X265, *AAC),
    coded("mpeg2-mp2.ts", "MPEG-2, MP2", *MPEG2, *MP2),
    coded("h264-ac3.ts", "H.264, AC-3", *X264, *AC3),
    coded("h264-mp3.ts", "H.264, MP3", *X264, *MP3),
    coded("h264-latm.ts", "AAC in LATM", *X264, *AAC, "-mpegts_flags", "+latm"),
    coded("h264-opus.ts", "Opus", *X264, *OPUS),
    coded("h264-s302m.ts", "SMPTE 302M", *X264, "-c:a", "s302m", "-strict", "-2", *STEREO, area="codecs"),
    coded("mpeg4.ts", "MPEG-4 part 2", *MPEG4, *MP2),
    coded("h264-ac3.mts", "AVCHD camera", *X264, *AC3, "-mpegts_m2ts_mode", "1"),
    coded("h264-pcm.m2ts", "Blu-ray with PCM", *X264, "-c:a", "pcm_bluray", "-ar", "48000", *STEREO),
    coded("mpeg1-mp2.mpg", "MPEG-1", "-c:v", "mpeg1video", "-q:v", "3", "-bf", "2", *MP2),
    coded("mpeg2-mp2.mpg", "MPEG-2", *MPEG2, *MP2, "-f", "vob"),
    coded("mpeg2-ac3.vob", "DVD", *MPEG2, *AC3, "-f", "vob", **PAL),
    coded("mpeg2-svcd.mpg", "SVCD", *MPEG2, *MP2, "-f", "svcd", size="480x576"),
    coded("mpeg2-pcm.mxf", "MXF", *MPEG2, *PCM, "-ar", "48000"),
    coded("camera.dv", "raw DV", "-c:v", "dvvideo", "-pix_fmt", "yuv420p", *PCM, "-ar", "48000", *STEREO, **PAL),
)
OLD = (
    coded("mpeg4-mp3.avi", "MPEG-4 part 2, MP3", *MPEG4, *MP3),
    coded("mpeg4-packed.avi", "with B-frames", *MPEG4, "-bf", "2", *MP3, **AVI_RATE),
    coded("xvid-mp3.avi", "Xvid", "-c:v", "libxvid", "-q:v", "3", "-bf", "2", *MP3, **AVI_RATE),
    coded("mjpeg-pcm.avi", "Motion JPEG", *MJPEG, *PCM),
    coded("msmpeg4v2.avi", "MS MPEG-4 2", "-c:v", "msmpeg4v2", "-q:v", "3", *MP3),
    coded("divx3.avi", "MS MPEG-4 3", "-c:v", "msmpeg4", "-q:v", "3", *MP3),
    coded("raw.avi", "uncompressed", "-c:v", "rawvideo", "-pix_fmt", "bgr24", *PCM),
    coded("huffyuv.avi", "HuffYUV", "-c:v", "huffyuv", "-pix_fmt", "yuv422p", *PCM),
    coded("ffvhuff.avi", "FFmpeg's HuffYUV", "-c:v", "ffvhuff", *PCM, area="codecs"),
    coded("utvideo.avi", "Ut Video", "-c:v", "utvideo", *PCM),
    coded("dv.avi", "DV", "-c:v", "dvvideo", "-pix_fmt", "yuv420p", *PCM, "-ar", "48000", *STEREO, **PAL),
    coded("h264-aac.avi", "H.264 with B-frames", *X264, *AAC, **AVI_RATE),
    coded("h264-mp3.avi", "H.264 without B-frames", *X264, "-bf", "0", *MP3),
    coded(
        "msvideo1.avi",
        "MS Video 1, MS ADPCM",
        "-c:v",
        "msvideo1",
        "-pix_fmt",
        "rgb555",
        "-c:a",
        "adpcm_ms",
        area="codecs",
    ),
    coded("zmbv.avi", "DOSBox's codec", "-c:v", "zmbv", *PCM, area="codecs"),
    coded("cinepak.avi", "Cinepak", "-c:v", "cinepak", *PCM, size="160x120", seconds=4),
    coded("ima.avi", "IMA ADPCM", *MPEG4, "-c:a", "adpcm_ima_wav"),
    coded("yamaha.avi", "Yamaha ADPCM", *MPEG4, "-c:a", "adpcm_yamaha", area="codecs"),
    coded("gsm.avi", "GSM", *MPEG4, "-c:a", "libgsm_ms", "-ar", "8000", "-ac", "1"),
    coded("jpegls.avi", "JPEG-LS", "-c:v", "jpegls", *RGB, *PCM, area="codecs", seconds=4, refusal="accepted"),
    coded("zlib.avi", "LCL zlib", "-c:v", "zlib", *PCM, area="codecs", refusal="accepted"),
    coded("flv1-mp3.flv", "Sorenson H.263, MP3", "-c:v", "flv1", "-q:v", "3", *MP3, "-ar", "44100"),
    coded("h264-aac.flv", "H.264, AAC", *X264, *AAC),
    coded("flashsv.flv", "Flash Screen Video", "-c:v", "flashsv", *MP3, "-ar", "44100", area="codecs"),
    coded("flashsv2.flv", "Flash Screen Video 2", "-c:v", "flashsv2", *MP3, "-ar", "44100", area="codecs"),
    coded(
        "nellymoser.flv", "Nellymoser", "-c:v", "flv1", "-q:v", "3", "-c:a", "nellymoser", "-ar", "44100", "-ac", "1"
    ),
    coded("speex.flv", "Speex", *X264, "-c:a", "libspeex", "-ar", "16000", "-ac", "1"),
    coded("swf-adpcm.flv", "Flash's ADPCM", "-c:v", "flv1", "-q:v", "3", "-c:a", "adpcm_swf", "-ar", "44100"),
    coded("wmv1.wmv", "Windows Media 7", "-c:v", "wmv1", "-q:v", "3", "-c:a", "wmav1"),
    coded("wmv2.wmv", "Windows Media 8", "-c:v", "wmv2", "-q:v", "3", "-c:a", "wmav2"),
    coded("divx3.asf", "MS MPEG-4 3 in ASF", "-c:v", "msmpeg4", "-q:v", "3", "-c:a", "wmav2"),
    coded("mjpeg.asf", "Motion JPEG in ASF", *MJPEG, *MP3),
    coded("theora-vorbis.ogv", "Theora, Vorbis", "-c:v", "libtheora", "-q:v", "8", *VORBIS),
    coded("theora-flac.ogv", "Theora, FLAC", "-c:v", "libtheora", "-q:v", "8", *FLAC),
    coded("theora-opus.ogv", "Theora, Opus", "-c:v", "libtheora", "-q:v", "8", *OPUS),
    coded("vp8-vorbis.ogv", "VP8 in Ogg", *VP8, *VORBIS),
)
ROWS: tuple[Row, ...] = (*MP4, *MOV, *MATROSKA, *TRANSPORT, *OLD)
