"""What the demo shop sells: its products as a Korean merchant would name them, with their images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

IMAGES = Path(__file__).parent / "images"


class Outcome(Enum):
    """What the merchant's owner made of a product whose values they decided."""

    READY = "ready"
    PUBLISHED = "published"
    ARCHIVED = "archived"


@dataclass(frozen=True)
class ImageResult:
    """A file in IMAGES, and the name that the merchant uploads it by."""

    file: str
    name: str = "정면.jpg"

    @property
    def path(self) -> Path:
        """Where the file is."""
        return IMAGES / self.file


@dataclass(frozen=True)
class DemoProduct:
    """One product.

    `decided` maps attributes to the values that the owner decides, all by code; `outcome` is where that leads.
    `unreadable_once`: its files cannot be read when the worker looks at them for the first time.
    """

    sku: str
    name: str
    images: tuple[ImageResult, ...] = ()
    decided: Mapping[str, str] = field(default_factory=dict)
    outcome: Outcome = Outcome.READY
    unreadable_once: bool = False


def _garment(category: str, material: str, sleeve_length: str | None = None) -> dict[str, str]:
    values = {"category": category, "material": material}
    return values if sleeve_length is None else {**values, "sleeve_length": sleeve_length}


# Without an image yet.
DRAFTS = (DemoProduct("JK-1001", "트위드 재킷 (촬영 예정)"),)

# Classified first; then the owner decides them all, and the merchant's thresholds are calibrated on these decisions.
DECIDED = (
    DemoProduct(
        "TS-1101",
        "피케 폴로 티셔츠 그린",
        (ImageResult("polo-green.jpg"),),
        _garment("Tshirt", "jersey", "short"),
        Outcome.PUBLISHED,
    ),
    DemoProduct(
        "TS-1102",
        "스트라이프 반팔 티셔츠 네이비",
        (ImageResult("tshirt-navy-stripe.jpg"),),
        _garment("Tshirt", "jersey", "short"),
        Outcome.PUBLISHED,
    ),
    DemoProduct(
        "TS-1103",
        "링거 반팔 티셔츠",
        (ImageResult("tshirt-ringer.jpg"),),
        _garment("Tshirt", "jersey", "short"),
        Outcome.PUBLISHED,
    ),
    DemoProduct(
        "SH-1104",
        "핀스트라이프 코튼 셔츠",
        (ImageResult("shirt-stripe-blue.jpg"), ImageResult("shirt-stripe-white.jpg", "다른 색상.jpg")),
        _garment("Shirt", "woven", "long"),
        Outcome.PUBLISHED,
    ),
    DemoProduct(
        "KN-1105",
        "하프집업 니트 브라운",
        (ImageResult("knit-halfzip-brown.jpg"),),
        _garment("KnitWear", "knit", "long"),
        Outcome.PUBLISHED,
    ),
    DemoProduct(
        "HD-1106",
        "크롭 후드 티셔츠 그레이",
        (ImageResult("hoodie-grey.jpg"),),
        _garment("Hoodie", "jersey", "long"),
        Outcome.PUBLISHED,
    ),
    DemoProduct(
        "JK-1107",
        "클래식 데님 재킷",
        (ImageResult("jacket-denim-blue.jpg"), ImageResult("jacket-denim-dark.jpg", "다른 워싱.jpg")),
        _garment("Jacket", "denim", "long"),
        Outcome.PUBLISHED,
    ),
    DemoProduct(
        "PD-1108",
        "후드 롱 패딩",
        (ImageResult("padding-long-burgundy.jpg"), ImageResult("padding-long-pink.jpg", "다른 색상.jpg")),
        _garment("PaddedJacket", "padding", "long"),
        Outcome.PUBLISHED,
    ),
    DemoProduct(
        "SK-1109",
        "플리츠 스커트 머스터드",
        (ImageResult("skirt-pleated-mustard.jpg"),),
        _garment("Skirt", "woven"),
        Outcome.ARCHIVED,
    ),
    DemoProduct(  # the models take the leather for a woven cloth: the owner knows better
        "JK-1110",
        "라이더 재킷 레드",
        (ImageResult("jacket-leather-red.jpg"),),
        _garment("Jacket", "leather", "long"),
    ),
)

# Classified after that: what clears the thresholds is auto-accepted, the rest is left to review.
TO_CLASSIFY = (
    DemoProduct("SN-1201", "스틸레토 펌프스 핑크", (ImageResult("shoes-pumps-pink.jpg"),)),  # no garment to be found
    DemoProduct("KN-1202", "케이블 터틀넥 니트", (ImageResult("knit-turtleneck-ivory.jpg"),), unreadable_once=True),
    DemoProduct("CT-1203", "울 싱글 코트 네이비", (ImageResult("coat-wool-navy.jpg"),)),  # doubtful
    DemoProduct("CT-1204", "후드 트렌치 코트 베이지", (ImageResult("coat-hooded-beige.jpg"),)),
    DemoProduct("SL-1205", "슬림 슬랙스 아이보리", (ImageResult("pants-ivory.jpg"),)),
    DemoProduct(
        "JN-1206",
        "하이웨이스트 스키니진",
        (
            ImageResult("jeans-light-blue.jpg"),
            ImageResult("jeans-black.jpg", "다른 색상.jpg"),
            ImageResult("worn-jeans.jpg", "착용컷.jpg"),
        ),
    ),
    DemoProduct("SK-1207", "데님 미니 스커트", (ImageResult("skirt-denim.jpg"),)),
    DemoProduct("SP-1208", "워싱 데님 쇼츠", (ImageResult("shorts-denim.jpg"),)),
    DemoProduct("OP-1209", "퍼프 소매 원피스 올리브", (ImageResult("dress-olive.jpg"),)),
    DemoProduct("OP-1210", "트로피컬 뷔스티에 원피스", (ImageResult("dress-tropical.jpg"),)),
    DemoProduct("TS-1211", "베이직 라운드 티셔츠 차콜", (ImageResult("tshirt-charcoal.jpg"),)),
    DemoProduct(
        "TS-1212",
        "멜란지 반팔 티셔츠 그레이",
        (ImageResult("tshirt-grey.jpg"), ImageResult("worn-tshirt-grey.jpg", "착용컷.jpg")),
    ),
    DemoProduct(
        "JK-1213", "테일러드 라인 아이보리", (ImageResult("jacket-tailored-ivory.jpg"),)
    ),  # doubtful, and the name does not say it either
    # Two garments in one image, each as good as the other, and a name that does not say which: a person must.
    DemoProduct("JK-1214", "빈티지 데님", (ImageResult("outfit-denim.jpg", "코디컷.jpg"),)),
)

# Left waiting, so that a person who starts the worker sees how they come in.
QUEUED = (
    DemoProduct("SH-1301", "깅엄 체크 셔츠 레드", (ImageResult("shirt-check-red.jpg"),)),
    DemoProduct("BL-1302", "레이어드 블라우스 아이보리", (ImageResult("blouse-ivory.jpg"),)),
    DemoProduct("SK-1303", "플레어 스커트 레드", (ImageResult("skirt-flared-red.jpg"),)),
)

PRODUCTS = DRAFTS + DECIDED + TO_CLASSIFY + QUEUED
