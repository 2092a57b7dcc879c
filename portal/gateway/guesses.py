"""Our own readings of the platform's words: nothing here is documented. [guess]

The document lists no code for "this order exists already" or "there is no such order", so the text of the
refusal is all there is. Where a text can be read in two ways, each function takes the reading that spends no
money twice: `may_mean_duplicate` says yes easily, `means_no_such_order` says no easily.
"""

import re

from portal.gateway.errors import Rejected

_DUPLICATE = re.compile(
    r"""重复|(?:已经?|早已)(?:存在|提交|推送|下单|受理|处理|使用|创建|接收|收到|有)
    |订单.{0,10}(?<![不未])存在
    |duplicat|\balready\b|\brepeat|\bre-?submit
    |(?<!not\ )(?<!n't\ )(?<!n’t\ )(?<!longer\ )\bexists?\b""",
    re.IGNORECASE | re.VERBOSE,
)

_NO_SUCH_ORDER = re.compile(
    r"""(?:订单|order_?no|order_?number)(?:号码?|编号|信息|记录|数据)?
        \s*(?:不存在|未找到|没有找到|没找到|找不到|未查到|查不到|查询不到)
    |(?:未找到|没有找到|没找到|找不到|未查到|查不到|查询不到|查无|查询无|无|没有|不存在)
        (?:任何|相关|对应)?(?:的|该|此|这个)?(?:订单|单)(?!位|价)
    |\border(?:[ _]?(?:no|num|number|id))?\s+
        (?:(?:was|is|were|could|can|does|did|do|has)\s*(?:not|n['’]t)|(?:can|not)not|not)\s+
        (?:be\s+|been\s+)?(?:found|exists?)\b
    |\bno\ (?:such|matching)\ order\b|\bno\ order\ (?:was\ )?found\b
    |\b(?:could\ not|cannot|can\ not|can['’]t|couldn['’]t|did\ not|didn['’]t)\ find
        \s(?:the\ |this\ |that\ |any\ |such\ )?order\b""",
    re.IGNORECASE | re.VERBOSE,
)

# Any of these says that the refusal is about something else, or not only about the order.
_NOT_ABOUT_THE_ORDER_ALONE = re.compile(
    r"""app_?key|\bkey\b|secret|sign|store|shop|merchant|\buser|account|method|\bapi\b|interface|channel
    |permission|\bip\b|param|timestamp|product|\bor\b
    |签名|密钥|店铺|门店|商户|商家|用户|账[号户]|接口|方法|路由|渠道|通道|权限|授权|参数|时间戳|产品|商品|卡号|卡片
    |或|已|/""",
    re.IGNORECASE | re.VERBOSE,
)

_NO_SUCH_CALL = re.compile(
    r"""(?:接口|方法|路由|服务)(?:名称?|地址)?\s*(?:不存在|未找到|没有找到|找不到|无效|未开放|不支持)
    |(?:不存在|未找到|没有找到|找不到|无效|未知|不支持|无此)(?:的|该|此)?(?:接口|方法|路由)
    |\b(?:method|api|interface|route|endpoint)\s+
        (?:(?:is|was|does|could|can)\s*(?:not|n['’]t)|cannot|not)\s+
        (?:be\s+)?(?:found|exists?|supported)\b
    |\b(?:no\ such|unknown|invalid|unsupported)\ (?:method|api|interface|route|endpoint)\b""",
    re.IGNORECASE | re.VERBOSE,
)


def may_mean_duplicate(rejected: Rejected) -> bool:
    """Return whether the refusal may say "this order_no exists already": an order may be alive. [guess]"""
    return _DUPLICATE.search(rejected.message) is not None


def means_no_such_order(rejected: Rejected) -> bool:
    """Return whether the refusal of a query says that the platform has never heard of the order. [guess]

    False for anything ambiguous: "does not exist or was deleted", "no such order or no permission", and
    complaints about keys, shops or signatures.
    """
    message = rejected.message
    if may_mean_duplicate(rejected) or _NOT_ABOUT_THE_ORDER_ALONE.search(message):
        return False
    return _NO_SUCH_ORDER.search(message) is not None


def means_no_such_call(rejected: Rejected) -> bool:
    """Return whether the platform does not know the interface that was called. [guess]"""
    return _NO_SUCH_CALL.search(rejected.message) is not None


def is_definite_no(rejected: Rejected) -> bool:
    return "系统" not in rejected.message
