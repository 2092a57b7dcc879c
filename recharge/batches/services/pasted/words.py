"""The words and forms that tell what a number in a line is."""

import re

_TRADITIONAL = (
    "號碼塊圓錢話費個筆單張兩倆錯對廢暫處經帳帐賬辦訂關閉銷發寫輸換還復複刪無沒敗絕給轉購貳參叄陸萬億餘優減滿贈實數電寬帶機員"
    "戶屆線層級區樓棟點鐘歲請們現應該選統幫謝這幾條為繳續儲値麼嗎過臺週禮後開備註聯繫樣舉範說訴會詢價達結誤匯紅聽驗並讓緊間門測試圖載時動買賣壞確認齊別將從當來長亂邊頭變"
)
_SIMPLIFIED = (
    "号码块圆钱话费个笔单张两俩错对废暂处经账账账办订关闭销发写输换还复复删无没败绝给转购贰叁叁陆万亿余优减满赠实数电宽带机员"
    "户届线层级区楼栋点钟岁请们现应该选统帮谢这几条为缴续储值么吗过台周礼后开备注联系样举范说诉会询价达结误汇红听验并让紧间门测试图载时动买卖坏确认齐别将从当来长乱边头变"
)
SIMPLIFIED = str.maketrans(_TRADITIONAL, _SIMPLIFIED)
"""For `str.translate`: the characters of the words below as people write them in Hong Kong and Taiwan, one for one."""

SPEED_WORDS = r"快充|慢充|快|慢|FAST|SLOW"
UNITS = r"元整|元钱|块钱|圆整|人民币|元|圆|块|[￥¥]|RMB|CNY"
BEFORE_VALUES = (
    r"充值金额|充值面值|充值面额|充值话费|充话费|话费充值|话费金额|人民币|充值|缴费|交费|续费|话费|面值|面额|金额"
    r"|(?:充|冲|(?<![原本后将])来|要|(?<![库内保])存)(?:值)?个?|缴|交|需要|[￥¥]|RMB|CNY"
)
AFTER_VALUES = rf"(?:的|个)?(?:话费|电话费|谢|{SPEED_WORDS}|吧|哈|哦|噢|呀|啊|呢|就行|就好|即可|给|到|进|费)|的(?!\w)"

# Figures behind these, or before the latter with a blank between, are no money.
OTHER_MEASURES = (
    r"(?:编号|编码|代码|工号|学号|序号|房号|门牌号?|楼号|桌号|尾号|会员号|密码|验证码|邮编|年龄|身高|体重|积分|人数|排名|名次|库存|内存"
    r"|(?<![A-Za-z])(?:ID|No|PIN))"
)
OTHER_UNITS = r"岁|积分|兆|GB?|MB?|分钟|小时|平米?"

# Figures before these are no money, nor do they say how often.
COUNTERS = (
    r"号(?!码)|日|月|年|点|分钟|分(?!钱)|秒|小时|楼|室|栋|幢|单元|岁|周|天|期|组|店|班|路|街|排|队|区|座|层|级|届|线|楼"
    r"|G(?![A-Za-z])|GB|M(?![A-Za-z])|MB|个(?:月|小时)"
)
HOW_OFTEN = r"次|笔|份|遍|倍|单(?!元)|张|个(?!月|小时)|台|部|户|人|x|X|\*|×|✖|✕"
HOW_OFTEN_APART = r"次|笔|份|遍|倍|单"
HOW_MANY = r"数量|份数|笔数|次数|个数"
HOW_OFTEN_IN_WORDS = re.compile(
    r"(?:[两俩二三四五六七八九十]|(?:十|再|又|还|多|每|各|加|一)[^0-9\x00]{0,4}一)\s*(?:次|笔|份|遍|单)|[两俩]\s*(?:个|张)|双倍|翻倍|连[充冲]|每[天日周月](?![^\W\d_充冲])|[充冲][一两二三四五六七八九十0-9]{1,2}个月|(?<![A-Za-z])(?i:twice)|各(?=[^\x00]{0,4}[0-9])"
)
OF_NUMBERS = r"万|千|百|十|亿|多|几|来|半|角|毛|折|%|％|‰|w|W|k|K"

VALUE_IN_WORDS = re.compile(
    r"[一二两三四五六七八九壹贰叁肆伍陆柒捌玖]\s*[十百千拾佰仟]|[十百千]\s*[一二三四五六七八九]?\s*(?:元|块钱|圆)"
    r"|[一二两三四五六七八九](?:元|块钱|圆)|半百|[充冲来要]个?百(?!\w)|(?<![0-9])[一二三四五六七八九]\s?0(?![0-9])"
)

# Money that is not to be topped up: what is left, owed, taken off.
OTHER_MONEY = re.compile(
    r"(?:余额|剩余?|还有|只有|欠费?|优惠|折扣|立减|减|满|返现?|送|赠|找零?|手续费|实付|实收|已付|付了|转了|到账)"
    r"[^0-9\x00充冲]{0,3}[0-9]"
)

# Said of an order, these mean that it should not be placed as it stands, not any more, or not yet.
# "Once it is done, tell me" asks for it.
_ONCE = r"(?!了?(?:吗|没|后|再|率|[，,]?(?:请|麻烦|帮忙)?(?:告诉|通知|跟|和|给|说|回|叫|喊|发)))"
_DONE = (
    r"(?:已经?[充冲]|(?:已经?|自己)(?:(?:给|帮|为)[^0-9\x00]{0,6})?[充冲](?:值)?了|[充冲]过|(?:充值|[充冲])成功|成功(?:为|给)"
    r"|已经?处理|已经?缴|已经?(?:完成|办理?|好|退(?![款钱费])|撤(?!销|单|回)|到(?![期店场家])|销[户号])|已到[账帐]|到[账帐]了|[充冲][好完]了?|[充冲]上了"
    rf"|(?<![未没])(?:处理(?:过|好|完)了?|(?:充值|处理)完毕?|完成了?|搞定了?|弄好了?)|(?<![A-Za-z])(?i:ok)了){_ONCE}"
)
_NOT_NOW = (
    r"暂不|暂缓|缓[充冲]|推迟|延后|先放|放一放|缓一缓|先等|等(?:等|下|一下|会儿?)?再|等[^0-9\x00]{0,4}(?:通知|消息|电话)"
    r"|(?:晚点|明[天早晚]|后天|下个?[周月]|改天|回头)再?[充冲交]|待定|待确认"
)
TAKEN_BACK = re.compile(
    r"取消|作废|(?:交易|订单|已)关闭|撤[销单回]|暂停|先别|先不|别再?[充冲]|不[充冲]|不用(?!急|客气|谢|担心|管)|不需要|[充冲]错|发错|打错|写错|搞错|输错|号码错|号错|错了"
    r"|更正|以(?:此|这)[^0-9\x00]{0,2}为准|改成|改为|换成|改[充冲0-9]|换个?号|不对|不是|不要(?!急|紧|着急|忘|客气|谢)|算了|退款|退回|退钱|退费|停(?:止)?[充冲]|[勿免莫甭][充冲]|禁止[充冲]|无需(?:[充冲]|(?!\w))|无效|失效|注销|销号|停用|冻结|黑名单|重复|删(?:[除掉]|(?!\w))|去掉|划掉"
    rf"|{_DONE}|(?<!快)到了{_ONCE}|[充冲]了(?!吧)|处理了|{_NOT_NOW}"
    r"|(?<!\w)(?:好了|退了|成功|到[账帐]|[停废撤退])(?!\w)|(?:充值|处理|提交)中(?!\w)"
    r"|没到|未到|没收到|未收到|(?:没|未)[充冲]成|[充冲]不[了上进]|(?:无法|不能)[充冲]|失败|拒绝|空号|(?:未|没|待)(?:支?付|(?:给|转)[款钱])"
    r"|或者|或是|还是|大概|左右|示例|模板|样板|例如|比如|样例|举例|(?<![^\s\x00(\[【])例(?=[\s:\x00)\]】])|多少钱|什么价|查一?[下询]"
    r"|(?:昨天|前天|上次|上回|上[周月])[^0-9\x00]{0,3}[充冲]|[✅✔✓☑🗹🆗√❌✘✗❎☒🗷🚫⛔🈲]|\[[xX]\]"
    r"|(?<![A-Za-z])(?:example|cancel|done|failed|success|completed|don't|do not|e\.g\.)",
    re.IGNORECASE,
)
TAKEN_BACK_ABOVE = re.compile(
    r"取消|作废|撤[销单回]|暂停|先别|先不|别再?[充冲]|不[充冲]|不要(?:再?[充冲]|了)|不用(?:再?[充冲]|了|啦)|不需要|无需[充冲]|[充冲]错|发错|打错|写错|搞错"
    r"|输错|号码错|号错|错了|更正|以(?:此|这)[^0-9\x00]{0,2}为准|改成|改为|换成|改[充冲]|换个?号|不对|算了|退款|退钱|停(?:止)?[充冲]|[勿免莫甭][充冲]|禁止[充冲]|重复了"
    r"|(?:^|:)[^\w:]*(?:好了|成功|到了|停|慢着|[✅✔✓☑√🆗])\W*$"
    rf"|{_DONE}|{_NOT_NOW}|[充冲]不[了上进]|(?:无法|不能)[充冲]|充值失败|空号"
)
# In the heading of a list, these say that it was placed, or is not to be.
HEADING_TAKEN_BACK = re.compile(
    r"\W*(?:已|充值)*(?:失败|成功|完成|作废|停用|注销|黑名单|历史|昨[天日]|前天|上周|上个?月)"
    r"(?:的|名单|列表|号码|号|记录|订单|单|充值|话费)*\W*"
)
# Paid for from the same purse, but no credit of a phone.
OTHER_GOODS = re.compile(r"流量|Q\s?币|电费|水费|燃气|宽带|固话|座机|(?:腾讯|视频|优酷|爱奇艺|芒果)会员", re.IGNORECASE)
OF_EARLIER_ONES = re.compile(r"上次|上回")
OF_THE_PROGRAM = re.compile(
    r"撤回了.{0,3}条.{0,4}消息|消息已(?:被?.{0,8})?撤回|recalled a message|message recalled", re.IGNORECASE
)

# The name in front of what somebody writes; what sums up is none.
WRITER = re.compile(r"^[\s\x00\[\]]*[^:0-9计共总收款付余]{1,20}:(?=\s*[^\s:])")

# What may stand around a value in a line that is about nothing else.
AROUND_VALUE = re.compile(
    rf"(?:{BEFORE_VALUES}|{UNITS}|{AFTER_VALUES}|{SPEED_WORDS}|帮忙|麻烦|请|帮|我|他|她|就|那|要|来|是|都|各|每个|一律|一共"
    r"|还是|现在|加到|换|变|可以|好吗|行吗|吗|么|谢谢|上面|以上|全部|的|吧|哈|了|再|也|先|给|个|不对|错了|改成|改为|换成|应该|统一|全)",
    re.IGNORECASE,
)

# In front of a number, these say that it is not the one to be topped up; the latter only beside others that lack them.
_WHOSE_NUMBER = (
    r"[\s:]{0,2}[^\W\d_]{0,4}\s?(?:的)?(?:手机号码|手机号|手机|电话号码|电话|号码|账号|账户|账单)?\s*[:(]?\s*$"
)
NUMBER_OF_OTHERS = re.compile(
    rf"(?:推荐人?|介绍人|(?:制表|填表|经手|统计|审核)人?|紧急联系人?|担保人|业务员|经办人|收[货件款]人?|寄件人?|付款人?|支付宝){_WHOSE_NUMBER}"
    r"|(?:(?:客服|售后|卖家)(?:电话|热线|号码|手机)|加?微信号|加微信|微信账号|(?:打|联系)我(?:的?电话|的?手机)?|有事请?打|转账到|打款到|付款到)\s*[:(]?\s*$"
)
NUMBER_OF_ANOTHER = re.compile(rf"(?:联系人?|联系方式|备用|转给){_WHOSE_NUMBER}|用\s?$")

LABELS = re.compile(
    r"(?:充值|客户|会员|联系|联系人)?(?:手机号码|手机号|手机|电话号码|电话|号码|卡号|油卡号|账号|面值|面额|金额|话费|姓名|备注|名字"
    r"|充值金额|充值面值|tel|phone|mobile|number|card|amount|value|name|note)",
    re.IGNORECASE,
)
