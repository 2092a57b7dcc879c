"""The columns of a list: their names, the titles that people give them, and what their cells look like."""

from dataclasses import replace

from portal.kit.digits import card_digits, fold, mobile_digits
from portal.sheets import Column
from recharge.choices import Product
from recharge.limits.services import rules, slow_guard

from ..pasted import value_of

_WHOSE = (
    "客户",
    "会员",
    "联系",
    "联系人",
    "用户",
    "顾客",
    "员工",
    "本人",
    "机主",
    "您的",
    "customer",
    "member",
    "user",
)
_TO_BE = ("充值", "话费", "缴费", "被充值", "被充", "待充值", "待充", "需充值", "需充", "要充", "recharge", "topup")
_VALUES = ("面值", "金额", "充值金额", "面额", "话费", "单价", "价格", "套餐", "充值额", "额度", "数额")
_PHONES = ("手机号", "手机号码", "手机", "号码", "电话", "电话号码", "移动电话", "账号", "帐号", "账户")
_PHONES_IN_ENGLISH = ("mobile", "mobile number", "mobile phone", "phone", "phone number", "number", "tel", "cellphone")
_HOW_MANY = (
    "数量",
    "份数",
    "笔数",
    "次数",
    "张数",
    "件数",
    "个数",
    "数目",
    "几次",
    "几份",
    "几笔",
    "几个",
    "几张",
    "倍数",
    "件",
    "份",
    "张",
    "笔",
    "个",
    "次",
    "单数",
    "订单数",
    "几单",
    "单量",
    "倍",
    "套数",
    "台数",
    "组数",
    "卡数",
    "x",
    "×",
    "pcs",
    "quantity",
    "times",
    "qty",
    "count",
)
_WHAT_IS_BOUGHT = (
    "商品",
    "宝贝",
    "产品",
    "购买",
    "订购",
    "下单",
    "订单",
    "总",
    "合计",
    "采购",
    "申请",
    "申领",
    "发放",
    "领取",
    "兑换",
    "需求",
    "需要",
    "充",
    "重复",
)
_OF_EACH = ("/张", "/份", "/笔", "/次", "/个", "/单")


def looks_like_mobile(text: str) -> bool:
    """Say whether a cell may be a mobile number."""
    return mobile_digits(text) is not None


def looks_like_card(text: str) -> bool:
    """Say whether a cell may be the number of an oil card."""
    return len(card_digits(text) or "") in (16, 19)


def looks_like_value(text: str) -> bool:
    """Say whether a cell may be a face value that is sold."""
    return value_of(fold(text)) in {*rules.face_values(Product.MOBILE), *rules.face_values(Product.OIL)}


_FACE_VALUE = Column(
    "face_value",
    (*_VALUES, "amount", "value", "price", "denomination"),
    required=True,
    before=(*_TO_BE, "应充", "应充值", "手机", "面值"),
    after=("金额", "数额"),
    looks=looks_like_value,
)
_OPTIONS = (
    Column("speed", ("快慢", "速度", "充值速度", "到账速度", "speed")),
    Column("note", ("备注", "说明", "备注说明", "note", "remark", "remarks", "memo"), may_span=True),
)
COLUMNS: dict[str, tuple[Column, ...]] = {
    Product.MOBILE: (
        Column(
            "mobile",
            (*_PHONES, *_PHONES_IN_ENGLISH),
            required=True,
            before=(*_WHOSE, *_TO_BE),
            after=("no",),
            looks=looks_like_mobile,
        ),
        _FACE_VALUE,
        *_OPTIONS,
    ),
    Product.OIL: (
        Column(
            "card_number",
            ("卡号", "油卡号", "油卡卡号", "加油卡号", "加油卡", "油卡", "卡片号码", "账号", "card number", "card"),
            required=True,
            before=(*_WHOSE, *_TO_BE),
            looks=looks_like_card,
        ),
        _FACE_VALUE,
        *_OPTIONS,
    ),
}
"""What a line is made of, in the order of the plain form."""

QUANTITY = Column("quantity", _HOW_MANY, before=(*_TO_BE, *_WHAT_IS_BOUGHT), after=_OF_EACH)
"""Looked for in sheets only, so that more than one is never ignored."""

PURPOSE = Column("purpose", ("用途", "充值用途", "用途说明", "purpose"), may_span=True)
REFERENCE = Column(
    "reference",
    ("客户编号", "客户单号", "客户订单号", "外部单号", "商户单号", "参考号", "reference", "customer reference"),
    may_span=True,
)


def columns_of(product: str) -> tuple[Column, ...]:
    """Return what the lines of a product's lists are made of, with what its slow orders need by the settings."""
    needed = (PURPOSE, REFERENCE) if slow_guard.asks(product) else ()
    return (*COLUMNS[product], *needed)


def wanted(product: str, value_for_all: int | None) -> tuple[Column, ...]:
    """Return the columns that are looked for in a sheet; one of values may be missing where there is one for all."""
    columns = (*columns_of(product), QUANTITY)
    if value_for_all is None:
        return columns
    return tuple(replace(column, required=False) if column is _FACE_VALUE else column for column in columns)
