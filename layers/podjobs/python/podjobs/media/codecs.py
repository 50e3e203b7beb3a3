"""Which codecs are accepted in uploads, and why; and how ffmpeg names their decoders. Pure.

Every decoder is code that a hostile file can aim at. ffmpeg's own are fuzzed continuously, one by one, but mistakes
are found in rare ones long after they were made. So a codec is accepted if recorders, cameras, phones, conference
systems or editors that lecturers use (or used) write it into a container that we read; see
docs/decisions/0022-accepted-codecs.md.
"""

import json
from collections.abc import Collection, Iterable

DEFAULT = "default"
"""In PODJOBS_CODECS: all codecs that are accepted here."""

UNKNOWN_CODECS = frozenset({"none", "unknown", "unknown_codec"})
"""What ffmpeg calls a codec that it does not know."""

ACCEPTED = {
    "cameras, phones, browsers, broadcasts": """
        h264 hevc av1 vp8 vp9 mpeg1video mpeg2video mpeg4 h263 h263p h263i h261 theora mjpeg mjpegb dvvideo""",
    "Windows Media, DivX, Flash: the web's video until 2010; slide shows of Photo Story and Movie Maker": """
        msmpeg4v1 msmpeg4v2 msmpeg4v3 wmv1 wmv2 wmv3 vc1 wmv3image vc1image flv1 vp3 vp6 vp6a vp6f""",
    "QuickTime and Video for Windows: teaching films of the 1990s": """
        cinepak svq1 svq3 qtrle rpza smc msvideo1 msrle""",
    "lecture and screen recorders: Camtasia, Connect and Wink (Flash), Windows Media Encoder, Live Meeting, Expression "
    "Encoder, CamStudio, Fraps, VirtualDub and DOSBox": """
        tscc tscc2 flashsv flashsv2 mss1 mss2 msa1 mts2 cscd fraps zmbv""",
    "editors, capture cards, archives": """
        prores dnxhd cfhd aic speedhq jpeg2000 ffv1 ffvhuff huffyuv utvideo""",
    "pictures without compression": """
        rawvideo v210 v210x v308 v408 v410 r210 r10k y41p yuv4 ayuv""",
    "animations, covers": """
        gif png bmp webp tiff""",
    "sound of today": """
        aac aac_latm mp3 mp2 mp1 opus vorbis flac alac speex""",
    "sound of discs and broadcasts": """
        ac3 eac3 dts truehd mlp s302m pcm_bluray pcm_dvd""",
    "sound of Windows Media, QuickTime and Flash": """
        wmav1 wmav2 wmapro wmavoice qdm2 mace3 mace6 nellymoser""",
    "voice recorders, phones, conferences": """
        amr_nb amr_wb qcelp gsm gsm_ms g723_1 truespeech adpcm_g722 adpcm_g726 adpcm_g726le""",
    "ADPCM of WAV, AVI, QuickTime and Flash": """
        adpcm_ms adpcm_ima_wav adpcm_ima_qt adpcm_swf adpcm_yamaha adpcm_ct""",
    "sound without compression": """
        pcm_u8 pcm_s8 pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32le pcm_s32be pcm_s64le pcm_s64be pcm_u16le
        pcm_u16be pcm_u24le pcm_u24be pcm_u32le pcm_u32be pcm_f16le pcm_f24le pcm_f32le pcm_f32be pcm_f64le
        pcm_f64be pcm_alaw pcm_mulaw pcm_s8_planar pcm_s16le_planar pcm_s16be_planar pcm_s24le_planar
        pcm_s32le_planar""",
    "subtitles: of text, they become captions; pictures are left out": """
        subrip ass ssa mov_text webvtt text dvd_subtitle dvb_subtitle hdmv_pgs_subtitle xsub eia_608""",
}  # fmt: skip
"""Who writes these codecs → ffmpeg's names of the codecs."""

REFUSED = {
    "a vulnerability was found in it: CVE-2026-8461": "magicyuv",
    "games, consoles, demo scene": """
        4xm anm ansi arbc argo avs bethsoftvid bfi binkvideo bintext bmv_video brender_pix c93 cdgraphics cdtoons
        cdxl cmv dfa dsicinvideo dxa flic gdv gem hnm4video idcin idf iff_ilbm interplayvideo ipu jv kgv1 kmvc mad
        mdec mmvideo mobiclip motionpixels mv30 mvdv mvha paf_video ptx qpeg rl2 roq sanm sga simbiosis_imx
        smackvideo tgq tgv thp tiertexseqvideo tmv tqi truemotion1 truemotion2 truemotion2rt txd vb vmdvideo vqc
        ws_vqa xan_wc3 xan_wc4 xbin yop 8svx_exp 8svx_fib acelp.kelvin adpcm_4xm adpcm_adx adpcm_afc adpcm_agm
        adpcm_aica adpcm_argo adpcm_circus adpcm_dtk adpcm_ea adpcm_ea_maxis_xa adpcm_ea_r1 adpcm_ea_r2 adpcm_ea_r3
        adpcm_ea_xas adpcm_ima_acorn adpcm_ima_alp adpcm_ima_amv adpcm_ima_apc adpcm_ima_apm adpcm_ima_cunning
        adpcm_ima_dat4 adpcm_ima_dk3 adpcm_ima_dk4 adpcm_ima_ea_eacs adpcm_ima_ea_sead adpcm_ima_escape
        adpcm_ima_hvqm2 adpcm_ima_hvqm4 adpcm_ima_iss adpcm_ima_magix adpcm_ima_moflex adpcm_ima_mtf adpcm_ima_oki
        adpcm_ima_pda adpcm_ima_rad adpcm_ima_smjpeg adpcm_ima_ssi adpcm_ima_ws adpcm_ima_xbox adpcm_mtaf adpcm_n64
        adpcm_psx adpcm_psxc adpcm_sanyo adpcm_sbpro_2 adpcm_sbpro_3 adpcm_sbpro_4 adpcm_thp adpcm_thp_le adpcm_vima
        adpcm_xa adpcm_xmd adpcm_zork binkaudio_dct binkaudio_rdft bmv_audio cbd2_dpcm derf_dpcm dsicinaudio
        fastaudio gremlin_dpcm hca hcom interplay_dpcm interplayacm paf_audio pcm_sga pcm_vidc rka roq_dpcm
        sdx2_dpcm smackaudio sol_dpcm vmdaudio wady_dpcm westwood_snd1 xan_dpcm xma1 xma2""",
    "complex, old, long repaired, hardly used for lectures: Indeo, On2's others, Dirac, GoToMeeting, Chinese AVS": """
        indeo2 indeo3 indeo4 indeo5 vp4 vp5 vp7 dirac cavs avs2 avs3 g2m clearvideo escape124 escape130 mimic snow
        sonic imc iac avc""",
    "screen recorders, loss-free and intermediate codecs with few users": """
        aasc 8bps 012v agm asv1 asv2 aura aura2 avrn avrp avui bitpacked cljr cllc cpia cyuv dxtory dxv fic fmvc
        frwu hap hq_hqa hqx hymt imm4 imm5 lagarith loco lscr m101 mscc mszh mvc1 mvc2 mwsc mxpeg notchlc nuv pdv
        pixlet prosumer qdraw rasc rscc scpr screenpresso sheervideo sp5x srgc smvjpeg amv targa_y216 tdsc ulti vble
        vcr1 vixl vmix vmnc wcmv wnv1 ylc zerocodec zlib""",
    "RealMedia: its container is not read, either": """
        rv10 rv20 rv30 rv40 rv60 cook sipr ra_144 ra_288 ralf""",
    "formats of single pictures": """
        alias_pix apng cri dds dpx exr fits jpegls jpegxl jpegxl_anim msp2 pam pbm pcx pfm pgm pgmyuv pgx phm photocd
        pictor ppm psd qoi sgi sgirle sunrast svg targa vbn wbmp xbm xface xpm xwd""",
    "young decoders of young formats: wait until they have been fuzzed": """
        vvc evc apv lcevc apac mpegh_3d_audio qoa lc3 osq""",
    "sound: archives of music, radio, telephony, film; their containers are mostly not read": """
        ape tak tta wavpack shorten mp4als wmalossless musepack7 musepack8 dsd_lsbf dsd_lsbf_planar dsd_msbf
        dsd_msbf_planar dst atrac1 atrac3 atrac3al atrac3p atrac3pal atrac9 aptx aptx_hd sbc codec2 comfortnoise
        dfpwm dolby_e dss_sp dvaudio evrc g728 g729 ilbc metasound twinvq qdmc msnsiren siren mp3adu mp3on4 bonk ftr
        misc4 wavarc pcm_lxf pcm_s24daud""",
    "made by ffmpeg for itself": "wrapped_avframe wavesynth vnull anull",
    "subtitles that come as files of their own, or from teletext": """
        arib_caption dvb_teletext ivtv_vbi jacosub microdvd mpl2 pjs realtext sami stl subviewer subviewer1 ttml
        vplayer""",
}  # fmt: skip
"""Why codecs are not accepted → ffmpeg's names, with those of versions after 5.1."""

CODECS = tuple(name for names in ACCEPTED.values() for name in names.split())
"""ffmpeg's names of the accepted codecs."""

DECODERS = {
    "av1": ("libdav1d", "libaom-av1", "av1"),
    "vp8": ("vp8", "libvpx"),
    "vp9": ("vp9", "libvpx-vp9"),
    "flv1": ("flv",),
    "msmpeg4v3": ("msmpeg4",),
    "mpeg2video": ("mpeg2video", "mpegvideo"),
    "tscc": ("camtasia",),
    "cscd": ("camstudio",),
    "mp3": ("mp3float", "mp3"),
    "mp2": ("mp2float", "mp2"),
    "mp1": ("mp1float", "mp1"),
    "opus": ("opus", "libopus"),
    "speex": ("speex", "libspeex"),
    "dts": ("dca",),
    "amr_nb": ("amrnb", "libopencore_amrnb"),
    "amr_wb": ("amrwb", "libopencore_amrwb"),
    "adpcm_g722": ("g722",),
    "adpcm_g726": ("g726",),
    "adpcm_g726le": ("g726le",),
    "ass": ("ssa", "ass"),
    "subrip": ("subrip", "srt"),
    "dvd_subtitle": ("dvdsub",),
    "dvb_subtitle": ("dvbsub",),
    "hdmv_pgs_subtitle": ("pgssub",),
    "eia_608": ("cc_dec",),
    # not accepted, but an operator may add them
    "cmv": ("eacmv",),
    "idcin": ("idcinvideo",),
    "iff_ilbm": ("iff",),
    "jpegxl": ("jpegxl", "libjxl"),
    "jpegxl_anim": ("jpegxl_anim", "libjxl_anim"),
    "mad": ("eamad",),
    "roq": ("roqvideo",),
    "smackvideo": ("smackvid",),
    "svg": ("librsvg",),
    "tgq": ("eatgq",),
    "tgv": ("eatgv",),
    "tqi": ("eatqi",),
    "ulti": ("ultimotion",),
    "vixl": ("xl",),
    "ws_vqa": ("vqavideo",),
    "vvc": ("vvc", "libvvdec"),
    "evc": ("libxevd",),
    "avs2": ("libdavs2",),
    "avs3": ("libuavs3d",),
    "atrac3p": ("atrac3plus",),
    "atrac3pal": ("atrac3plusal",),
    "avc": ("on2avc",),
    "codec2": ("libcodec2",),
    "ilbc": ("ilbc", "libilbc"),
    "lc3": ("liblc3",),
    "mp3adu": ("mp3adufloat", "mp3adu"),
    "mp3on4": ("mp3on4float", "mp3on4"),
    "mp4als": ("als",),
    "mpegh_3d_audio": ("libmpeghdec",),
    "musepack7": ("mpc7",),
    "musepack8": ("mpc8",),
    "ra_144": ("real_144",),
    "ra_288": ("real_288",),
    "smackaudio": ("smackaud",),
    "westwood_snd1": ("ws_snd1",),
    "arib_caption": ("libaribcaption", "libaribb24"),
    "dvb_teletext": ("libzvbi_teletextdec",),
}
"""ffmpeg's decoders of a codec, if their names differ from the codec's."""
_KNOWN = frozenset({*CODECS, *DECODERS, *(name for names in REFUSED.values() for name in names.split())})
_CODEC_OF = {decoder: codec for codec, decoders in DECODERS.items() for decoder in decoders if decoder not in _KNOWN}


def name_codecs(names: Iterable[str]) -> tuple[str, ...]:
    """Write out a list of codecs as an operator may write it: with decoders' names, and `default` for all of ours.

    Args:
        names: ffmpeg's names of codecs or decoders.

    Returns:
        ffmpeg's names of codecs, each once.
    """
    codecs: list[str] = []
    for name in names:
        codecs += CODECS if name == DEFAULT else (_CODEC_OF.get(name, name),)
    return tuple(dict.fromkeys(codecs))


def name_decoders(codecs: Iterable[str]) -> tuple[str, ...]:
    """Name the decoders of codecs, each once: what ffmpeg's option `codec_whitelist` compares."""
    return tuple(dict.fromkeys(decoder for codec in codecs for decoder in DECODERS.get(codec, (codec,))))


def add_codec(accepted: Collection[str], codec: str) -> str:
    """Write the value of PODJOBS_CODECS that accepts one more codec.

    Args:
        accepted: the present codecs.
        codec: ffmpeg's name of a codec or of its decoder.
    """
    default = set(CODECS)
    shown = [DEFAULT, *(name for name in accepted if name not in default)] if default <= set(accepted) else accepted
    return json.dumps([*shown, *name_codecs([codec])])
