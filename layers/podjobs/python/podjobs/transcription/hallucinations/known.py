"""Known hallucinations: credits and goodbyes from Whisper's training videos, which it writes in silence. Pure.

Source: reports by users, https://github.com/openai/whisper/discussions/679 and /928.
"""

import re
import unicodedata


def normalize_text(text: str) -> str:
    """Reduce a text to lower-case letters and digits without accents, so that spelling does not matter."""
    letters = unicodedata.normalize("NFD", text.casefold())
    return "".join(sign for sign in letters if sign.isalnum())


def _normalized_words(text: str) -> frozenset[str]:
    return frozenset(map(normalize_text, text.split()))


# A clause that is one of these, in any language: the model may write in another one than is spoken.
PHRASES = frozenset(
    normalize_text(phrase)
    for phrase in (
        # French
        "Merci d'avoir regardé", "Merci d'avoir regardé cette vidéo", "Merci d'avoir regardé la vidéo",
        "Merci d'avoir regardé ma vidéo", "Merci d'avoir visionné cette vidéo",
        "Merci de regarder cette vidéo", "Abonnez-vous", "Abonnez-vous à la chaîne",
        "Abonnez-vous à ma chaîne", "N'oubliez pas de vous abonner", "N'hésitez pas à vous abonner",
        "N'hésitez pas à vous abonner à la chaîne",
        "N'hésitez pas à vous abonner pour ne manquer aucune de mes vidéos",
        "N'oubliez pas de liker et de vous abonner", "À bientôt pour une nouvelle vidéo",
        "On se retrouve dans la prochaine vidéo", "À la prochaine vidéo",
        "Cliquez-vous sur les sous-titres et abonnez-vous à la chaîne d'Amara.org",
        # English
        "Thanks for watching", "Thanks for watching this video", "Thank you for watching",
        "Thank you so much for watching", "Thank you for watching this video", "Please subscribe",
        "Please like and subscribe", "Like and subscribe", "Don't forget to subscribe",
        "Don't forget to like and subscribe", "Subscribe to my channel", "Please subscribe to my channel",
        "See you in the next video", "I'll see you in the next video", "I will see you in the next video",
        "Please subscribe so you don't miss any of my videos",
        # German
        "Vielen Dank fürs Zuschauen", "Vielen Dank für's Zuschauen", "Danke fürs Zuschauen",
        "Vielen Dank fürs Ansehen", "Abonniert den Kanal", "Abonniert meinen Kanal",
        "Vergesst nicht zu abonnieren", "Bis zum nächsten Video",
        # Spanish
        "Gracias por ver el video", "Gracias por ver este video", "Gracias por ver", "Suscríbete",
        "Suscríbete al canal", "Suscríbete a mi canal", "¡Suscríbete para más!", "No olvides suscribirte",
        "Nos vemos en el próximo video",
        # Italian
        "Grazie per aver guardato", "Grazie per aver guardato il video",
        "Grazie per aver guardato questo video", "Grazie per la visione", "Iscrivetevi al canale",
        "Iscriviti al canale", "Ci vediamo nel prossimo video",
        # Portuguese
        "Obrigado por assistir", "Obrigado por assistir ao vídeo", "Inscreva-se no canal",
        "Até o próximo vídeo",
        # Dutch, Polish, Turkish
        "Bedankt voor het kijken", "Vergeet niet te abonneren", "Dziękuję za obejrzenie",
        "Dziękuję za oglądanie",
        "Abone olmayı unutmayın",  # noqa: RUF001 - Turkish has these letters
        "İzlediğiniz için teşekkürler",
        "İzlediğiniz için teşekkür ederim",
        # Russian, Arabic, Chinese, Japanese, Korean
        "Спасибо за просмотр", "Подписывайтесь на канал", "Продолжение следует", "اشتركوا في القناة",
        "شكرا للمشاهدة", "谢谢观看", "谢谢大家观看", "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "ご視聴ありがとうございました", "チャンネル登録をお願いいたします",
        "次の動画でお会いしましょう", "시청해주셔서 감사합니다", "구독과 좋아요 부탁드립니다",
    )
)  # fmt: skip

# A clause whose normalized form matches one of these.
CREDITS = re.compile(
    r".{0,60}amaraorg.{0,40}"
    r"|.{0,20}soustitreurcom"
    r"|soustitr(?:age|es?)(?:st\d+|fr\d*|mfp|realise|faite?s?par|par|pour|cree|fourni|societe|radio).{0,60}"
    r"|(?:subtitle|caption|closedcaption)\w{0,6}(?:provided|made|created|edited|corrected)?by.{0,60}"
    r"|untertitel\w{0,3}(?:imauftrag|von|der|aufgrund).{0,60}"
    r"|copyright(?:wdr|swr|ndr|br|ard|zdf)(?:19|20)\d\d|(?:swr|wdr)20\d\d"
    r"|subtit(?:ulo|ulado)s?(?:por|realizad|cread|hech|enespanol).{0,60}"
    r"|sottotitoli(?:creati|acura|erevisione|di).{0,60}"
    r"|legendas?(?:pel[ao]|por|feit|cread|criad).{0,60}"
    r"|ondertitel\w{0,5}(?:ingediend|door).{0,60}"
    r"|napisy(?:stworzone|przez).{0,60}"
    r"|(?:редакторсубтитров|субтитры(?:сделал|создавал|подогнал|делал)).{0,60}"
)

# Names of sounds that are not speech, in brackets or alone.
SOUNDS = _normalized_words(
    "music musique musik música musica muzyka музыка applause applaudissements applaudissement applaus aplausos "
    "applausi аплодисменты laughter laughs laughing rire rires gelächter lachen risas risate cheering cheers "
    "acclamations silence stille silencio silenzio blank_audio noise bruit bruits geräusch ruido rumore inaudible "
    "indistinct unverständlich cough coughs coughing toux tousse sigh sighs soupir soupire sniff sniffs bell "
    "sonnerie générique jingle beep bip static whistling sifflement footsteps clapping 音楽 拍手 音乐 掌声"
)


def is_known(clause: str) -> bool:
    """Whether a clause, in normalized form, is a known hallucination."""
    return clause in PHRASES or CREDITS.fullmatch(clause) is not None
