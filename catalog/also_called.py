"""What merchants call categories beside their names in the taxonomy, by the category's code.

The name of a product hints at its category by these words, and a person finds a category by typing one.
"""

from collections.abc import Mapping

ALSO_CALLED: Mapping[str, str] = {
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
