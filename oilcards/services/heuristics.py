"""Our own reading of the platform's words about cards: nothing here is documented. [guess]

It ends a card only where its deletion was asked for; otherwise it takes a card out of use until a person has looked.
"""

import re

from portal.gateway import Rejected

_NO_SUCH_CARD = re.compile(
    r"""(?:油?卡|卡片|油卡信息|card)(?:号码?|编号|信息|_?id)?\s*(?:不存在|未找到|没有找到|找不到|已(?:被)?删除)
    |(?:未找到|没有找到|找不到|查无|不存在)(?:该|此|这张|相关|对应)?(?:的)?(?:油卡|卡片|卡)
    |\bno\ such\ card\b|\bcard\s+(?:(?:was|is|does|could|can)\s*(?:not|n['’]t)|not)\s+(?:be\s+)?(?:found|exists?)\b""",
    re.IGNORECASE | re.VERBOSE,
)
_ABOUT_SOMETHING_ELSE = re.compile(
    r"""app_?key|secret|sign|store|shop|permission|param|timestamp|\bor\b
    |签名|密钥|店铺|门店|商户|用户|接口|权限|授权|参数|时间戳|订单|渠道|或|/""",
    re.IGNORECASE | re.VERBOSE,
)


def means_no_such_card(rejected: Rejected) -> bool:
    """Return whether the refusal says that the platform has no card with the id asked for. [guess]"""
    message = rejected.message
    return not _ABOUT_SOMETHING_ELSE.search(message) and _NO_SUCH_CARD.search(message) is not None
