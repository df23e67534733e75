"""Column names that say a column holds personal data, in English and Portuguese."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

PersonalKind = Literal[
    "CPF", "CNPJ", "e-mail", "phone", "card", "IP address", "user id", "device id", "name", "address",
    "birth date", "document", "Pix key", "number plate",
]  # fmt: skip
"""Personal data by kind, in the words a message uses."""

_PERSON = (
    "user|usuario|customer|cliente|client|account|conta|consumer|consumidor|member|membro|subscriber|assinante"
    "|person|pessoa|passenger|passageiro|patient|paciente|driver|motorista|courier|entregador|rider|buyer"
    "|comprador|visitor|visitante|guest|hospede|student|aluno|employee|funcionario|recipient|destinatario|holder"
    "|titular|sender|remetente|mother|mothers|mae|father|pai"
)
_NUMBER = "number|numero|num|no|nr|n"
# The words of a name stand between single underscores: `_customer_e_mail_`. The first pattern found decides.
_KINDS: tuple[tuple[PersonalKind, re.Pattern[str]], ...] = (
    ("CPF", re.compile(r"cpf")),
    ("CNPJ", re.compile(r"cnpj")),
    ("e-mail", re.compile(r"email|_e_mail_|^_mail_$|_mail_addr(ess)?_")),
    (
        "IP address",
        re.compile(r"_(ip|ips|ipv4|ipv6|ipaddr|ipaddress)_|_(remote|client)_addr_|_forwarded_for_"),
    ),
    (
        "device id",
        re.compile(
            r"_(device|advertising|cookie|installation|aparelho)_?(id|uuid)_|_(imei|idfa|gaid|aaid)_|_mac_addr"
        ),
    ),
    (
        "phone",
        re.compile(
            r"telefone|celular|phone_?(" + _NUMBER + r")_|_(cell|mobile|tele)?phones?_|_(fone|msisdn|tel)_"
            r"|^_(mobile|cel|whatsapp)_$|_(mobile|whatsapp|cel)_("
            + _NUMBER
            + r")_|_("
            + _NUMBER
            + r")_(whatsapp|cel)_"
        ),
    ),
    (
        "card",
        re.compile(
            r"^_(card|cartao|pan)_$|_(card|cartao|cc)_?("
            + _NUMBER
            + r"|pan)_|_("
            + _NUMBER
            + r")_(do_)?cartao_"
            r"|_(credit|debit)_?card_|_cartao_(de_)?(credito|debito)_|_(cvv|cvc)_"
        ),
    ),
    ("Pix key", re.compile(r"_pix_key_|_chave_pix_")),
    (
        "number plate",
        re.compile(r"_(license|licence|number)_plate_|^_placa_$|_placa_(do_|da_)?(veiculo|moto|carro)_"),
    ),
    ("birth date", re.compile(r"birth_?(date|day)|date_of_birth|_dob_|nascimento")),
    (
        "document",
        re.compile(
            r"_(rg|cnh|ssn|passport|passaporte|documento)_|_titulo_(de_)?eleitor_|_social_security_|_national_id_"
        ),
    ),
    (
        "name",
        re.compile(
            r"^_(name|nome|nomes)_$|_(full|first|last|middle|given|family)_?name_|sobrenome|_surname_|_nome_completo_"
            r"|_(" + _PERSON + r"|card_?holder)_names?_|_nome_((do|da|de)_)?(" + _PERSON + r")_"
        ),
    ),
    (
        "address",
        re.compile(
            r"endereco|logradouro|_(address|addresses|addr|street|rua|cep|zipcode|postcode)_|_(zip|postal)_code_|^_zip_$"
        ),
    ),
    (
        "user id",
        re.compile(
            r"_(" + _PERSON + r")_?(ids?|uid|uuid|guid|key|ref|code|codigo|login|hash)_"
            r"|_(id|ids|cod|codigo|login)_((do|da|de)_)?(" + _PERSON + r")_|_(uid|login|username|cpfid)_"
            r"|^_(user|usuario|cliente|customer)_$|_user_name_"
        ),
    ),
)
# A column about such data rather than of it: how many, of which brand, whether given, the first digits of a CEP.
_ABOUT = re.compile(
    r"^_(has|is|tem|possui|com|sem|allow|uses|via|qtd|count|total)_"
    r"|_(type|tipo|kind|brand|bandeira|model|modelo|os|version|versao|status|flag|valid|valido|verified|verificado"
    r"|present|missing|count|qtd|len|length|domain|dominio|provider|prefix|prefixo|country|pais|opened|clicked|sent"
    r"|rate|score|template|campaign|method|latency|ms|opt|in|year|ano|installments|parcelas)_$"
)


def kind_of_name(column: str) -> PersonalKind | None:
    """The kind of personal data a column's name speaks of, or None.

    Case, accents, separators and camelCase do not matter; words count whole, so `ip` is not found in `trip`.

    >>> kind_of_name("customerEmail"), kind_of_name("Endereço IP"), kind_of_name("trip_tip")
    ('e-mail', 'IP address', None)
    """
    words = _words(column)
    if _ABOUT.search(words):
        return None
    return next((kind for kind, pattern in _KINDS if pattern.search(words)), None)


def _words(column: str) -> str:
    plain = unicodedata.normalize("NFKD", column).encode("ascii", "ignore").decode()
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    return "_" + re.sub(r"[^a-z0-9]+", "_", apart.lower()).strip("_") + "_"
