"""What merchants call values beside their names in the taxonomy, by the attribute's code and the value's.

The name of a product hints at its values by these words, a spreadsheet may use them, and a person finds a value by
typing one.
"""

from collections.abc import Mapping

_CATEGORIES = {
    "Blouse": "블라우스",
    "Tshirt": "티 티셔츠 반팔티 긴팔티 라운드티 카라티 박스티 크롭티 면티 맨투맨 tee sweatshirt",
    "KnitWear": "니트 스웨터 풀오버 터틀넥 목폴라 knit sweater pullover turtleneck",
    "Shirt": "남방",
    "Cardigan": "카디건",
    "Hoodie": "후드 후디 hoody",
    "SleevelessTop": "나시 캐미솔 뷔스티에 크롭탑 튜브탑 tank camisole cami",
    "Jeans": "진 스키니진 데님팬츠 denimpants jean",
    "Pants": "바지 슬랙스 치노 slacks chino trouser pant",
    "Shorts": "쇼츠 숏팬츠 핫팬츠",
    "Skirt": "치마",
    "JoggerPants": "조거 jogger sweatpants",
    "Leggings": "legging",
    "Dress": "드레스",
    "JumpSuit": "점프슈트 오버롤 멜빵바지 올인원 롬퍼 overall dungarees romper",
    "Coat": "코트 trench",
    "Jacket": "자켓 쟈켓 블레이저 blazer",
    "Jumper": "잠바 블루종 바람막이 야상 아노락 bomber blouson windbreaker anorak",
    "PaddedJacket": "파카 puffer parka",
    "Vest": "조끼 gilet waistcoat",
    "Zipup": "집업",
}

# No "down" (button down), no "양털" (shearling, or fleece like it), no "진" (dark, too), no "인조가죽" (that is leather
# by its looks).
_MATERIALS = {
    "corduroy": "골덴",
    "cotton": "코튼 순면",
    "denim": "청 연청 진청 중청 흑청 jean",
    "fleece": "후리스 뽀글이 보아 sherpa",
    "jacquard": "자가드 쟈가드",
    "knit": "knitted",
    "leather": "레더 소가죽 양가죽 천연가죽",
    "linen": "리넨",
    "mesh": "메쉬 망사",
    "padding": "구스다운 덕다운 오리털 누빔 퀼팅 padded quilted puffer",
    "sequin": "스팽글 sequined spangle",
    "suede": "쎄무 세무",
    "velvet": "벨루어 벨로아 velour",
    "wool": "모직 램스울 메리노울 merino woolen woollen",
    "chiffon": "쉬폰",
}

_SLEEVE_LENGTHS = {
    "sleeveless": "슬리브리스 나시 끈나시",
    "short": "반소매 숏슬리브 하프슬리브 하프소매 halfsleeve",
    "cap": "캡소매 캡슬리브",
    "three-quarter": "칠부소매",
    "long": "긴소매 롱슬리브",
}

ALSO_CALLED: Mapping[str, Mapping[str, str]] = {
    "category": _CATEGORIES,
    "material": _MATERIALS,
    "sleeve_length": _SLEEVE_LENGTHS,
}


def also_called(attribute: str, value: str) -> list[str]:
    """The words for a value, by the codes; none where the names say it all."""
    return ALSO_CALLED.get(attribute, {}).get(value, "").split()
