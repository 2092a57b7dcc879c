"""Our own readings of the platform's words: nothing here is documented. [guess]

The document lists no code for "this order exists already" or "there is no such order", so the text of the
refusal is all there is. Where a text can be read in two ways, each function takes the reading that spends no
money twice: `may_mean_duplicate` says yes easily, `means_no_such_order` says no easily.
"""

import enum
import re

from .errors import Rejected

_HAN = re.compile(r"[\u4e00-\u9fff]")
_BLANKS = re.compile(r"\s+")

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

# The platform has trouble, looked at some of its orders alone, didn't find it so far, or speaks of what became of it.
_NOT_ALL_LOOKED_AT = re.compile(
    r"""异常|異常|超[时時]|逾[时時]|繁忙|稍[后後候]|重[试試]|[网網][络路絡]|[频頻]繁|过[多快频]|限流|断开|中断|内部|服务器|维护|升级|故障
    |系[统統](?:忙|错误|出错)|[处處]理中|等待|排[队隊]|延[迟时]|[天日月时週周年]以?内|只能|仅[限能支]|归档|历史
    |暂[未无没]|尚[未无]|[还仍][未没]|成功|失败|退款|到账|回执|上游|供应商|单号?(?:对应)?的(?!信息|记录|数据)
    |(?:订单|单)(?:的?(?:充值|处理|查询))?(?:结果|状态)
    |time[d\ -]*out|busy|later|retry|try\ again|exception|internal|server|network|connection|unavailable|maintenance
    |too\ many|pending|process|queue|within|archiv|recent|\bonly\b
    |\byet\b|\bso\ far\b|success|upstream|supplier|\b(?:days?|hours?|months?)\b""",
    re.IGNORECASE | re.VERBOSE,
)

_NO_SUCH_CALL = re.compile(
    r"""(?:接口|方法|路由|服务|控制器|模块)(?:名称?|地址)?\s*(?:未定义|不存在|未找到|没有找到|找不到|无效|未开放|不支持)
    |(?:不存在|未找到|没有找到|找不到|无效|未知|不支持|无此)(?:的|该|此)?(?:接口|方法|路由)
    |\b(?:method|api|interface|route|endpoint|controller|module)\s+
        (?:(?:is|was|does|could|can)\s*(?:not|n['’]t)|cannot|not)\s+
        (?:be\s+)?(?:found|exists?|supported)\b
    |\b(?:no\ such|unknown|invalid|unsupported)\ (?:method|api|interface|route|endpoint)\b""",
    re.IGNORECASE | re.VERBOSE,
)


class Complaint(enum.Enum):
    """What a refusal is about."""

    SIGNATURE = enum.auto()
    TIME = enum.auto()
    KEY = enum.auto()
    CALLER = enum.auto()
    STORE = enum.auto()


_COMPLAINTS = {
    Complaint.SIGNATURE: re.compile(
        r"签名(?!.{0,2}(?:过期|超时|失效))|验签|密钥|\bsign(?!(?:ature)?\s+(?:has\s+|is\s+)?expired)|secret",
        re.IGNORECASE,
    ),
    Complaint.TIME: re.compile(r"过期|签名.{0,2}(?:超时|失效)|时间|timestamp|expired|\btime\b", re.IGNORECASE),
    Complaint.CALLER: re.compile(r"白名单|(?<![a-z])ip(?![a-z])|white ?list", re.IGNORECASE),
    Complaint.KEY: re.compile(r"app_?key|应用|商户", re.IGNORECASE),
    Complaint.STORE: re.compile(r"店铺|门店|store|shop", re.IGNORECASE),
}


# What a refusal must say for the order to be taken as refused: that something is wrong with the request, the account or
# the number. Kept short: whatever isn't here is unknown, and asked about.
_DEFINITE_NO = re.compile(
    r"""余额不足|余额不够|额度不足
    |不能为空|不可为空|必填|缺少
    |(?:参数|格式|签名|密钥|版本号?|请求方式|时间戳|面值|金额|手机号码?|号码|店铺|卡号|产品|商品)
        (?:错误|不正确|无效|有误|不合法|非法|不存在|不支持|不符)
    |(?:无效|非法|错误)的?(?:参数|签名|密钥|面值|金额|手机号码?|号码|店铺|卡号)
    |(?:店铺|油卡|卡片|接口|app_?key)(?:不存在|无效|已停用|未找到)
    |暂?不支持(?:快充|慢充)?|不在(?:可充|服务)范围|(?:不可|不能|无法|禁止|不允许)充值
    |已?(?:空号|停机|销号|注销)
    |未开通|未授权|无权限|没有权限|权限不足|黑名单|白名单|已下架|未上架|已停用|已过期|携号转网|虚拟(?:号|运营商)
    |(?:通道|渠道|产品|面值|地区|省份|归属地).{0,2}维护中?
    |\binsufficient\ (?:balance|funds|credit)\b
    |\binvalid\ (?:sign(?:ature)?|app_?key|param(?:eter)?s?|mobile|phone|amount|money|store|card)\b
    |\b(?:missing|required)\b.{0,30}\bparam|\bparam.{0,30}\b(?:missing|required)\b
    |\b(?:is|are)\ required\b|\b(?:can\ ?not|must\ not)\ be\ (?:empty|blank|null)\b
    |\b(?:not\ supported|unsupported|unauthorized|permission\ denied|blacklisted)\b""",
    re.IGNORECASE | re.VERBOSE,
)

# What may stand beside a definite word and says nothing of what becomes of the order: subjects, politeness, numbers.
_FILLER = re.compile(
    r"""请求|请(?:您|先)?(?:检查|核对|核实|修改|更换|联系(?:客服|管理员))?|您的?|你的?|该|此|本|当前|目前|所选|对应|的|为|是|与|和|不在|不足|后再试
    |身份证号?码?|持卡人|姓名|手机号码?|手机|号码段?|号段|号|段|面值|金额|余额|参数|充值|话费|油卡|加油卡|卡号|卡片?|接口|通道|渠道|产品|商品|店铺|商户|账[户号]|用户|运营商
    |中国|移动|联通|电信|广电|虚拟|中石[化油]|类型|地区|省份|城市|归属地|签名|密钥|时间戳|格式
    |\b(?:the|an?|your|this|that|is|are|of|for|to|please|check|mobile|phone|number|amount|money|face|value|params?
        |parameters?|store|card|key|sign|signature|account|user|carrier|product|id|ip|top-?up|recharge)\b
    |[a-z]+(?:_[a-z]+)+|app_?key|\bip|mobile|\d+|[\W_]+""",
    re.IGNORECASE | re.VERBOSE,
)

# Any of these tells of an outcome that isn't clear, whatever else the refusal says.
_UNCLEAR = re.compile(
    r"""系[统統]|异常|異常|超[时時]|逾[时時]|[处處]理|受理|繁忙|稍[后後候]|重[试試]|未知|不明|不确定|查[询詢]|[网網][络路絡]
    |成功|完成|已扣|扣款|并非|人工|冻结|等待|排[队隊]|确认|確認|提交(?!参数|方式)|推送|充值中|失[败敗]|[请請]求[过過][多频]|[频頻]繁|限流|断开|中断|内部|内網|服务器
    |[订訂][单單](?!号?(?:不能|格式|错误))
    |time[d\ -]*out|pending|process|wait|queue|submit|later|retry|try\ again|busy|unknown|exception|internal|server
    |不可用|network|connection|unavailable|maintenance|too\ many|accepted|success|complete|manual|confirm
    |in\ progress|\berror\b|fail""",
    re.IGNORECASE | re.VERBOSE,
)


# What a refusal of `verify` must be about, so that it says something of the number or of what is wanted for it.
_ABOUT_THE_NUMBER = re.compile(
    r"""转网|虚拟|空号|停机|销号|注销|号码|手机号|号段|物联|黑名单|运营商|面值|地区|省份|归属地|不在.{0,2}范围
    |(?:不可|不能|无法|禁止|不允许)充值|(?:产品|通道|渠道).{0,4}维护
    |\bnumber\b|\bmobile\b|\bphone\b|\bported\b|\bvirtual\b|blacklist""",
    re.IGNORECASE | re.VERBOSE,
)


def may_mean_duplicate(rejected: Rejected) -> bool:
    """Return whether the refusal may say "this order_no exists already": an order may be alive. [guess]"""
    return _DUPLICATE.search(rejected.message) is not None


def means_no_such_order(rejected: Rejected) -> bool:
    """Return whether the refusal of a query says that the platform has never heard of the order. [guess]

    False for anything ambiguous: "does not exist or was deleted", "no such order or no permission", complaints about
    keys, shops or signatures, "not found, try again later", "only orders of the last three days".
    """
    message = rejected.message
    if may_mean_duplicate(rejected) or _NOT_ABOUT_THE_ORDER_ALONE.search(message) or _NOT_ALL_LOOKED_AT.search(message):
        return False
    return _NO_SUCH_ORDER.search(message) is not None


def means_no_such_call(rejected: Rejected) -> bool:
    """Return whether the platform does not know the interface that was called. [guess]"""
    return _NO_SUCH_CALL.search(rejected.message) is not None


def is_definite_no(rejected: Rejected) -> bool:
    """Return whether the refusal of a push says for certain that the order was not taken. [guess]

    Its words decide, whatever its code: the document lists no codes. False for anything that isn't sure, for no words
    at all, and where a definite word stands beside one of an unclear outcome, or beside anything that isn't known to
    say nothing: "not supported by this channel, passed on to the next" has spent money.
    """
    message = _BLANKS.sub("", rejected.message) if _HAN.search(rejected.message) else rejected.message
    if may_mean_duplicate(rejected) or _UNCLEAR.search(message):
        return False
    rest, definite = _DEFINITE_NO.subn(" ", message)
    return definite > 0 and not _FILLER.sub("", rest)


def means_not_rechargeable(rejected: Rejected) -> bool:
    """Return whether the refusal of `verify` says that this number can't be topped up so. [guess]

    False for all that complains of something else (the signature, the shop, a call that doesn't exist), and for what
    isn't clear: every code but 0000 means no [pub], but no list of codes tells why.
    """
    elsewhere = complaint(rejected) is not None or means_no_such_call(rejected)
    return is_definite_no(rejected) and not elsewhere and _ABOUT_THE_NUMBER.search(rejected.message) is not None


def complaint(rejected: Rejected) -> Complaint | None:
    """Return what the refusal is about, as far as its words tell; only for telling people where to look. [guess]"""
    return next((about for about, words in _COMPLAINTS.items() if words.search(rejected.message)), None)
