"""Every file of a form is answered for, whatever its name is made of, and a form that cannot be read is refused."""

import base64

import pytest

from catalog.models import Product, ProductImage
from tests.support.api_clients import error_of
from tests.support.drawn_images import photo

pytestmark = pytest.mark.django_db

FORM = "multipart/form-data; boundary=b"
NAMES = [
    ("셔츠.jpg".encode(), "셔츠.jpg"),
    ("셔츠.jpg".encode("cp949"), "셔츠.jpg"),
    ("똠방각하.jpg".encode("cp949"), "똠방각하.jpg"),
    ("表.jpg".encode("cp932"), "表.jpg"),  # whose second byte is a backslash
    ("café.jpg".encode("latin-1"), "café.jpg"),
    (b"\xff\xfe\x00.jpg", "ÿþ.jpg"),
    (b"..", "image"),
    (b".", "image"),
    (b"", "image"),
    (b"/", "image"),
    (b"   ", "image"),
    (b"\x00", "image"),
    (b"../../etc/passwd", "passwd"),
    (b"C:\\\\photos\\\\a.jpg", "a.jpg"),
    (b'a \\"b\\".jpg', 'a "b".jpg'),
    (b"a; name=b.jpg", "a; name=b.jpg"),
    (b"&#51068;.jpg", "일.jpg"),
    (b"x" * 300 + b".jpg", None),
]


def form(*files, field="images"):
    """A form of (rest of the disposition, content)."""
    heads = [b'--b\r\nContent-Disposition: form-data; name="%s"' % field.encode() + rest for rest, _content in files]
    return (
        b"".join(head + b"\r\n\r\n" + content + b"\r\n" for head, (_rest, content) in zip(heads, files, strict=True))
        + b"--b--\r\n"
    )


def named(name):
    return b'; filename="' + name + b'"'


@pytest.mark.parametrize(("name", "shown"), NAMES)
def test_the_api_answers_for_it(api, name, shown):
    answer = api.post("/api/v1/products", form((named(name), photo())), content_type=FORM)
    assert answer.status_code == 201, answer.content
    (upload,) = answer.json()["uploads"]
    assert upload["image"]
    assert upload["name"] == shown or (shown is None and upload["name"].endswith("x.jpg"))


@pytest.mark.parametrize(("name", "shown"), NAMES)
def test_the_portal_answers_for_it(bob, client_of, name, shown):
    client = client_of(bob)
    answer = client.post(
        "/products/new",
        form((named(name), photo()), field="images"),
        content_type=FORM,
        headers={"accept": "application/json"},
    )
    (received,) = answer.json()["received"]
    assert received["code"] is None
    assert received["name"] == shown or (shown is None and received["name"].endswith("x.jpg"))


@pytest.mark.parametrize(
    ("rest", "shown"),
    [
        (b"; filename*=UTF-8''%EC%85%94%EC%B8%A0.jpg", "셔츠.jpg"),
        (b"; filename=\"x.jpg\"; filename*=utf-8'ko'%EC%85%94%EC%B8%A0.jpg", "셔츠.jpg"),
        (b"; filename*=EUC-KR''%BC%C5%C3%F7.jpg", "셔츠.jpg"),
        (b"; filename*=nonsense''%EC%85%94%EC%B8%A0.jpg", "셔츠.jpg"),
        (b"; filename*=broken", "image"),
        (b"; filename=bare.jpg", "bare.jpg"),
        (b'; filename="never closed.jpg', "never closed.jpg"),
        (b"; FileName=a.jpg", "a.jpg"),
        (b";filename = a.jpg", "a.jpg"),
        (b"; filename=a.jpg\r\nContent-Type: nonsense\r\nX-Odd", "a.jpg"),
        (b";\r\n filename=folded.jpg", "folded.jpg"),
        (b"\r\nContent-Type: image/jpeg", "image"),
    ],
)
def test_so_it_does_however_the_name_is_written(api, rest, shown):
    answer = api.post("/api/v1/products", form((rest, photo())), content_type=FORM)
    assert answer.status_code == 201, answer.content
    assert [upload["name"] for upload in answer.json()["uploads"]] == [shown]


def test_each_of_many_is_answered_for_in_order(api):
    files = [(named(name), photo(size=(80 + number, 80))) for number, (name, _shown) in enumerate(NAMES)]
    answer = api.post("/api/v1/products", form(*files), content_type=FORM)
    assert answer.status_code == 201
    assert len(answer.json()["uploads"]) == len(NAMES) == ProductImage.objects.count()


def test_an_empty_file_field_of_a_browser_is_no_file(api, bob, client_of):
    answer = api.post("/api/v1/products", form((named(b""), b"")), content_type=FORM)
    assert (answer.status_code, answer.json()["uploads"]) == (201, [])
    answer = api.post("/api/v1/products", form((named(b"empty.jpg"), b"")), content_type=FORM)
    assert (answer.status_code, answer.json()["uploads"][0]["error"]["code"]) == (400, "empty")


def test_base64_is_decoded(api):
    for content in (base64.b64encode(photo()), base64.encodebytes(photo())):
        body = form((named(b"a.jpg") + b"\r\nContent-Transfer-Encoding: base64", content))
        assert api.post("/api/v1/products", body, content_type=FORM).status_code == 201


def test_texts_in_other_encodings_are_read(api):
    body = form((b"", "데님 재킷".encode("cp949")), field="name")
    assert api.post("/api/v1/products", body, content_type=FORM).json()["name"] == "데님 재킷"


@pytest.mark.parametrize("boundary", ["; boundary=other", "; boundary=", "", "; boundary=bb", "; boundary=é"])
def test_a_wrong_boundary_is_refused(api, bob, client_of, boundary):
    content_type = f"multipart/form-data{boundary}"
    body = form((named(b"a.jpg"), photo()))
    answer = api.post("/api/v1/products", body, content_type=content_type)
    assert (answer.status_code, error_of(answer)) == (400, "malformed_form")
    answer = client_of(bob).post("/products/new", body, content_type=content_type)
    assert answer.status_code == 400
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"x",
        b"--b",
        b"--b\r\n",
        b"--b\r\nContent-Disposition: form-data; name=images; filename=a.jpg\r\n\r\nx\r\n--b",
        b"--b\r\nContent-Disposition: form-data; name=images; filename=a.jpg\r\n\r\nx",
        b"--b\r\nContent-Disposition: form-data; filename=a.jpg\r\n\r\nx\r\n--b--",
        b"--b\r\n\r\nx\r\n--b--",
        b"--b\r\nContent-Type: image/jpeg\r\n\r\nx\r\n--b--",
        b"--b and more\r\nContent-Disposition: form-data; name=images; filename=a.jpg\r\n\r\nx\r\n--b--",
        b"--b\r\nX: " + b"x" * 10_000 + b"\r\n\r\nx\r\n--b--",
        b"--b\r\nContent-Disposition: form-data; name=images; filename=a.jpg\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!!!\r\n--b--",
    ],
)
def test_so_is_what_cannot_be_read_whole(api, bob, client_of, body):
    answer = api.post("/api/v1/products", body, content_type=FORM)
    assert (answer.status_code, error_of(answer)) == (400, "malformed_form")
    answer = client_of(bob).post("/products/new", body, content_type=FORM, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert not Product.objects.exists()


def test_boundaries_are_found_wherever_they_fall(api):
    """A chunk may end within a boundary."""
    image = photo()
    for size in range(65_536 - 260, 65_536 + 20, 7):
        content = image + bytes(size - len(image))
        answer = api.post("/api/v1/products", form((named(b"a.jpg"), content), (named(b""), b"")), content_type=FORM)
        assert len(answer.json()["uploads"]) == 1
    assert set(ProductImage.objects.values_list("size", flat=True)) == set(range(65_536 - 260, 65_536 + 20, 7))
