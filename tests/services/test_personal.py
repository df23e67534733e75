"""Personal data by column name and by content: what is seen, and above all what is not."""

from __future__ import annotations

import hashlib
import time
import uuid
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.columns import FEEDBACK_COLUMNS, REQUEST_COLUMNS
from services.personal import PersonalHit, looks_personal_name, looks_personal_values, personal_in_values

SPEAKING = {
    "CPF": "cpf CPF cpfCliente nr_cpf cpf_hash numerocpf",
    "CNPJ": "cnpj cnpj_loja",
    "e-mail": "email e_mail e-mail mail userEmail EMAIL_ADDRESS email_hash useremail",
    "phone": "phone telefone celular mobile mobile_number phone_number cellphone msisdn tel whatsapp numero_whatsapp",
    "card": "card_number cartao numero_do_cartao credit_card pan cc_number cvv cartao_credito cardNumber",
    "IP address": "ip ip_address IPAddress client_ip ipv4 remote_addr x_forwarded_for endereço_ip",
    "user id": "user_id userid userId customer_id cliente_id uid account_id id_usuario cod_cliente username login user",
    "device id": "device_id imei idfa mac_address",
    "name": "nome name full_name first_name sobrenome customer_name nome_do_cliente nomeCompleto",
    "address": "endereco Endereço address street cep zip_code zip shipping_address",
    "birth date": "birth_date birthday dob data_nascimento date_of_birth",
    "document": "rg cnh passport ssn",
    "Pix key": "chave_pix",
    "number plate": "placa license_plate",
}
SILENT = [
    "trip",
    "tip",
    "shipping",
    "zipped",
    "equip",
    "recipe",
    "origin",
    "dest",
    "carrier",
    "distance",
    "hour",
    "weekday",
    "month",
    "tailnum",
    "flight",
    "mailing",
    "prompt_name",
    "model_name",
    "nome_produto",
    "restaurant_name",
    "product_name",
    "event_name",
    "hostname",
    "filename",
    "city",
    "state",
    "bairro",
    "zip_code_prefix",
    "cep_prefixo",
    "card_type",
    "cartao_bandeira",
    "credit_card_installments",
    "has_email",
    "email_opened",
    "is_mobile",
    "mobile_app",
    "headphone",
    "microphone",
    "phone_model",
    "user_agent",
    "user_count",
    "user_segment",
    "users_online",
    "account_type",
    "customer_state",
    "client",
    "ip_version",
    "ip_country",
    "discard_reason",
    "scorecard",
    "companion",
    "japan",
    "panel",
    "document_id",
    "page_views",
    "cellar",
    "celsius",
    "telemetry",
    "hotel",
    "uidx",
    "druid",
    "order_id",
    "request_id",
    "session_id",
    "review_score",
    "payment_type",
    "payment_value",
    "latitude",
    "wind_speed",
    "visibility",
    "agent",
    "target",
    "merge",
    "org",
    "cargo",
]


@pytest.mark.parametrize(
    ("kind", "column"), [(kind, c) for kind, columns in SPEAKING.items() for c in columns.split()]
)
def test_names_that_speak(kind: str, column: str) -> None:
    """English and Portuguese names, in any case and with any separator, give their kind."""
    assert looks_personal_name(column) == PersonalHit(kind, None, "name")  # type: ignore[arg-type] # a kind


@pytest.mark.parametrize("column", SILENT)
def test_names_that_do_not(column: str) -> None:
    """Words that merely contain such a word, and columns about the data rather than of it, are left alone."""
    assert looks_personal_name(column) is None


def test_canonical_columns() -> None:
    """Of ronda's own columns, the user id alone is personal by name."""
    spoken = [column for column in {**REQUEST_COLUMNS, **FEEDBACK_COLUMNS} if looks_personal_name(column)]
    assert spoken == ["user_id"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("CPF", "529.982.247-25"),
        ("CPF", "529982247-25"),
        ("CPF", "529 982 247 25"),
        ("CPF", "５２９.９８２.２４７－２５"),
        ("CPF", "529.982.247–25"),
        ("CPF", "Fim. CPF: 52998224725."),
        ("CPF", '{"cpf":"52998224725"}'),
        ("CNPJ", "11.222.333/0001-81"),
        ("CNPJ", "11222333/0001-81"),
        ("CNPJ", "12.ABC.345/01DE-35"),
        ("CNPJ", "CNPJ 11222333000181"),
        ("e-mail", "ana@example.com"),
        ("e-mail", "(JOÃO+x@mail.exemplo.com.br)"),
        ("e-mail", "https://x.example/?u=joao%40exemplo.com"),
        ("phone", "+55 11 98765-4321"),
        ("phone", "+5511987654321"),
        ("phone", "(11) 98765-4321"),
        ("phone", "(11)3456-7890"),
        ("phone", "51 3616-7313"),
        ("phone", "11 9 8765-4321"),
        ("phone", "meu telefone é 11987654321"),
        ("phone", "+44 20 7946 0958"),
        ("phone", "+351 912 345 678"),
        ("phone", "+1 (212) 555-0123"),
        ("phone", "(212) 555-0123"),
        ("card", "4111 1111 1111 1111"),
        ("card", "4111-1111-1111-1111"),
        ("card", "3782 822463 10005"),
        ("card", "no cartão 4111111111111111."),
        ("IP address", "2001:db8::1"),
        ("IP address", "from ip 192.168.0.7"),
    ],
)
def test_one_clear_find_is_enough(kind: str, value: str) -> None:
    """A single one among ordinary values is seen, with its share, and the hit does not carry the value."""
    hit = looks_personal_values(["UA", "AA", value, "2013-06-24"])
    assert hit == PersonalHit(kind, 0.25, "content")  # type: ignore[arg-type] # a kind
    assert value not in repr(hit)


@pytest.mark.parametrize(
    "value",
    [
        "529.982.247-26", "CPF 52998224726", "11.222.333/0001-82", "4111 1111 1111 1112", "cartão final 4321",
        "111.111.111-11", "52998224725", "11222333000181", "4111111111111111", "11987654321", "192.168.0.7",
        "1.2.3", "v1.2.3.4", "10.0.19045.1", "120.0.6099.109", "2013-06-24", "2013-06-24T12:30:45.123456+00:00", "12:30:45",
        "24/06/2013 12:30", "20 2013-2014", "R$ 1.234.567,89", "123456789.12", "-23.550520", "1e308", "nan", "",
        "1144e690-a0bd-4ca6-bc53-8903d3b88522", hashlib.sha256(b"x").hexdigest(), hashlib.md5(b"x", usedforsecurity=False).hexdigest(),
        "BR6832315108040", "lodash@4.17.21", "@here", "a @ b", "x@y", "std::vector<int>", "a::b", "aa:bb:cc:dd:ee:ff",
        "0.52998224725", "1720000000", "1720000000000", "20240624123045", "+123456.78", "+12 34", "62465904830", "#269004304",
        "0800 123 4567", "978-85-12345-123-1",
    ],
)  # fmt: skip
def test_ordinary_values(value: str) -> None:
    """Wrong check digits, codes, versions, times, prices, hashes; and one bare run, which may be chance."""
    assert personal_in_values(["UA", value, "AA"]) == ()


RANDOM = Random(20130624)  # noqa: S311 # a seed for made-up values
MANY = range(5000)
MADE_UP = {
    "order numbers": [str(62465900000 + i) for i in MANY],
    "11 random digits": [str(RANDOM.randrange(10**10, 10**11)) for _ in MANY],
    "16 random digits": [str(RANDOM.randrange(10**15, 10**16)) for _ in MANY],
    "16 digits like a Visa": [str(4758647031600000 + i) for i in MANY],
    "Unix seconds": [str(1720000000 + 77 * i) for i in MANY],
    "milliseconds": [str(1720000000000 + 7777 * i) for i in MANY],
    "14-digit stamps": [f"202406{1 + i % 28:02}{i % 24:02}{i % 60:02}{i % 59:02}" for i in MANY],
    "snowflakes": [str(10**18 + RANDOM.getrandbits(59)) for _ in MANY],
    "uuids": [str(uuid.UUID(int=RANDOM.getrandbits(128))) for _ in MANY],
    "versions": [f"{i % 9}.{i % 20}.{i % 30}.{i % 31}" for i in MANY],
    "floats": [repr(RANDOM.random() * 10 ** (i % 12)) for i in MANY],
    "EAN": [str(7890000000000 + RANDOM.randrange(10**9)) for _ in MANY],
}


@pytest.mark.parametrize("made_up", MADE_UP)
def test_thousands_of_bare_numbers_are_not_taken_for_people(made_up: str) -> None:
    """Among 5,000 codes some pass a check digit by chance; that is not taken for more than chance."""
    assert personal_in_values(MADE_UP[made_up]) == ()


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("CPF", ["52998224725", "11144477735", "12345678909"]),
        ("CPF", ["52998224725.0", "11144477735.0", "12345678909.0"]),
        ("CNPJ", ["11222333000181", "00000000000191", "33000167000101"]),
        ("card", ["4111111111111111", "5555555555554444", "378282246310005"]),
        ("phone", ["11987654321", "21987654321", "31987654321"]),
        ("phone", ["5511987654321", "5521987654321", "5531987654321"]),
        ("IP address", ["192.168.0.7", "8.8.8.80", "172.16.0.1"]),
    ],
)
def test_several_bare_numbers(kind: str, values: list[str]) -> None:
    """A column of nothing but such numbers is seen from three values on, and not from two."""
    assert looks_personal_values([*values, ""]) == PersonalHit(kind, 1.0, "content")  # type: ignore[arg-type] # a kind
    assert looks_personal_values(values[:2]) is None


def test_every_kind_in_a_column_is_told() -> None:
    """A column of texts may hold several kinds; the most frequent comes first."""
    values = ["a@b.com", "c@d.org, (11) 98765-4321", "oi", "tchau"]
    assert personal_in_values(values) == (
        PersonalHit("e-mail", 0.5, "content"),
        PersonalHit("phone", 0.25, "content"),
    )
    assert personal_in_values([]) == ()


@given(st.lists(st.text(max_size=60), max_size=8))
def test_any_text_is_survived(values: list[str]) -> None:
    """Whatever users type, shares stay within (0, 1] and each kind is told once."""
    hits = personal_in_values(values)
    assert all(hit.share is not None and 0 < hit.share <= 1 for hit in hits)
    assert len({hit.kind for hit in hits}) == len(hits)


@pytest.mark.parametrize(
    "piece", ["@a", "a.", ":", "1.", "1 ", "+1 ", "a:", "12.ABC.", "(", "1", "11 9 ", "1234 ", "0a"]
)
def test_hostile_text_takes_no_longer(piece: str) -> None:
    """Long repetitions, made to send patterns back and forth, take time in proportion (0.2 s for 200,000)."""
    begin = time.perf_counter()
    personal_in_values(["@" + piece * 100_000])
    assert time.perf_counter() - begin < 5
