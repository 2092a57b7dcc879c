"""The words and forms that tell what a number in a line is."""

import re

SPEED_WORDS = r"快充|慢充|快|慢|FAST|SLOW"
UNITS = r"元整|元钱|块钱|圆整|人民币|元|圆|块|[￥¥]|RMB|CNY"
BEFORE_VALUES = (
    r"充值金额|充值面值|充值面额|充值话费|充话费|话费充值|话费金额|人民币|充值|缴费|交费|续费|话费|面值|面额|金额"
    r"|(?:充|冲|来|要|存)(?:值)?个?|缴|交|需要|[￥¥]|RMB|CNY"
)
AFTER_VALUES = rf"(?:的|个)?(?:话费|电话费|谢|{SPEED_WORDS}|吧|哈|哦|噢|呀|啊|呢|就行|就好|即可|给|到|进|费)|的(?!\w)"

# Figures before these are no money, nor do they say how often.
COUNTERS = (
    r"号(?!码)|日|月|年|点|分钟|分(?!钱)|秒|小时|楼|室|栋|幢|单元|岁|周|天|期|组|店|班|路|街|排|队|区|座|层|级|届|线|楼"
    r"|G(?![A-Za-z])|GB|M(?![A-Za-z])|MB|个(?:月|小时)"
)
HOW_OFTEN = r"次|笔|份|遍|倍|单(?!元)|张|个(?!月|小时)|台|部|户|人|x|X|\*|×|✖|✕"
HOW_OFTEN_APART = r"次|笔|份|遍|倍|单"
HOW_MANY = r"数量|份数|笔数|次数|个数"
HOW_OFTEN_IN_WORDS = re.compile(
    r"[一两俩二三四五六七八九十]\s*(?:次|笔|份|遍|单)|[两俩]\s*(?:个|张)|双倍|翻倍|各(?=[^\x00]{0,4}[0-9])"
)
OF_NUMBERS = r"万|千|百|十|亿|多|几|来|半|角|毛|折|%|％|‰|w|W|k|K"

VALUE_IN_WORDS = re.compile(
    r"[一二两三四五六七八九壹贰叁肆伍陆柒捌玖]\s*[十百千拾佰仟]|[十百千]\s*[一二三四五六七八九]?\s*(?:元|块钱|圆)"
    r"|[一二两三四五六七八九](?:元|块钱|圆)|半百"
)

# Money that is not to be topped up: what is left, owed, taken off.
OTHER_MONEY = re.compile(
    r"(?:余额|剩余?|还有|只有|欠费?|优惠|折扣|立减|减|满|返现?|送|赠|找零?|手续费|实付|实收|已付|付了|转了|到账)"
    r"[^0-9\x00]{0,3}[0-9]"
)

# Said of an order, these mean that it should not be placed as it stands, or not any more.
TAKEN_BACK = re.compile(
    r"取消|作废|撤销|撤单|暂停|先别|先不|别充|不充|不要充|不用充|不要再充|充错|发错|打错|写错|搞错|输错|号码错|号错|错了"
    r"|改成|改为|换成|改充|不对|不是|不要(?!急|紧|着急|忘|客气|谢)|算了|退款|退回|退钱|停充|勿充|无效"
    r"|已充|已经充|充过|充完|充好|充了(?!吧)|已缴|已经缴|已到账|没到账|未到账|没到|未到|到账了|(?:没|未)充成"
    r"|或者|或是|还是|大概|左右|示例|例如|比如|样例|举例|(?<![A-Za-z])(?:example|cancel|e\.g\.)",
    re.IGNORECASE,
)
TAKEN_BACK_ABOVE = re.compile(
    r"取消|作废|撤销|撤单|先别|别充|不充了|不要充|不用充|充错|发错|打错|写错|搞错|输错|号码错|号错|错了|改成|改为|换成|改充|不对"
    r"|不要了|算了|停充|勿充"
)
OF_THE_PROGRAM = re.compile(r"撤回了一条消息|recalled a message")

# What may stand around a value in a line that is about nothing else.
AROUND_VALUE = re.compile(
    rf"(?:{BEFORE_VALUES}|{UNITS}|{AFTER_VALUES}|{SPEED_WORDS}|帮忙|麻烦|请|帮|我|他|她|就|那|要|来|是|都|各|每个|一律|一共"
    r"|谢谢|上面|以上|全部|的|吧|哈|了|再|也|先|给|个|不对|错了|改成|改为|换成|应该|统一|全)",
    re.IGNORECASE,
)

LABELS = re.compile(
    r"(?:充值|客户|会员|联系|联系人)?(?:手机号码|手机号|手机|电话号码|电话|号码|卡号|油卡号|账号|面值|面额|金额|话费|姓名|备注|名字"
    r"|充值金额|充值面值|tel|phone|mobile|number|card|amount|value|name|note)",
    re.IGNORECASE,
)
