package tui

import (
	"till/protocol"
	"till/tui/register"
)

// japanesePaper is what a receipt and a customer's display say in Japanese.
// Printers have katakana at most, which others than Epson's spell in Latin
// letters, so nothing here needs a Chinese character.
var japanesePaper = &Words{
	Language: "ja", Decimal: ".", Group: ",", Date: "2006/01/02", Clock: "15:04", ShortDate: "01/02",
	Staff: StaffWords{Report: japaneseReportOnPaper},

	Paper: map[register.Label]string{
		register.LabelPractice: "レンシュウ - ホンモノ デハ アリマセン", register.LabelSale: "トリヒキ", register.LabelTerminal: "レジ",
		register.LabelTaxNumber: "トウロク バンゴウ", register.LabelDiscount: "ネビキ", register.LabelSubtotal: "ショウケイ",
		register.LabelTip: "チップ", register.LabelTax: "ゼイ", register.LabelNet: "ゼイヌキ", register.LabelTotal: "ゴウケイ",
		register.LabelChange: "オツリ", register.LabelRate: "レート", register.LabelAddress: "アドレス:",
		register.LabelTx: "トランザクション:", register.LabelNotSeen: "ミケンシュツ", register.LabelNote: "メモ",
		register.LabelScanToPay: "スキャンシテ シハライ", register.LabelOurAddress: "トウテンノ ビットコイン アドレス",
		register.LabelArrived: "ニュウキン", register.LabelTest: "テスト ページ",
		register.LabelRedeemed:  "カギ ウケトリ",
		register.LabelSold:      "ビットコイン ハンバイ",
		register.LabelRefund:    "ヘンキン",
		register.LabelTaken:     "ウケトリ",
		register.LabelPaidOut:   "ハライダシ",
		register.LabelFee:       "ネットワーク テスウリョウ",
		register.LabelChangeTo:  "オツリ サキ:",
		register.LabelOwed:      "オキャクサマ ヘノ カリ",
		register.LabelCash:      "ゲンキン",
		register.LabelStripe:    "ジキ カードハ イチビョウデ コピー サレマス。ゲンキント オナジク アツカイ、ハヤク ウツシテ クダサイ。",
		register.LabelWallet:    "ペーパーウォレット",
		register.LabelReceive:   "アドレス: ザンダカ カクニント ウケトリ",
		register.LabelSpend:     "ヒミツカギ: コレデ ツカエマス",
		register.LabelKeepSafe:  "ヒミツカギヲ ミタ ヒトハ ダレデモ ツカエマス。カクシテ、カワイタ クライ トコロニ オキ、ハヤク ウツシテ クダサイ。",
		register.LabelNoPayment: "ハライダシノ レシートガ ナケレバ カチハ アリマセン。",
	},
	PayoutStates: map[protocol.PayoutState]string{
		protocol.PayoutReserved:  "ジュンビ ズミ",
		protocol.PayoutSigned:    "ショメイ ズミ",
		protocol.PayoutBroadcast: "ソウシン ズミ、ミショウニン",
		protocol.PayoutConfirmed: "ショウニン ズミ",
		protocol.PayoutRefused:   "キョヒ: ハライダシ ナシ",
		protocol.PayoutUnknown:   "マダ フメイ",
		protocol.PayoutNever:     "ハライダシ ナシ",
	},
	States: map[protocol.SaleState]string{
		protocol.SaleOpen: "ミバライ", protocol.SaleSeen: "ケンシュツ", protocol.SaleAccepted: "シハライ ウケツケ",
		protocol.SaleConfirmed: "ショウニン ズミ", protocol.SaleExpired: "キゲンギレ", protocol.SaleCancelled: "チュウシ",
	},
	Tenders: map[protocol.TenderKind]string{
		protocol.TenderBitcoin: "ビットコイン", protocol.TenderEcash: "Eキャッシュ", protocol.TenderCash: "ゲンキン",
		protocol.TenderKey: "カギ・コイン", protocol.TenderCard: "ギンコウ カード", protocol.TenderLightning: "Lightning",
	},
	Reasons: map[string]string{
		"unpaid": "マダ ナニモ トドイテ イマセン", "untendered": "マダ シハライヲ モトメテ イマセン", "underpaid": "イチブガ フソク",
		"late": "キゲンゴニ トドキマシタ", "unconfirmed": "ショウニンガ マダ タリマセン",
		"watching": "ミマモリ チュウ", "fee_low": "テスウリョウガ ヒクイノデ ショウニン マチ",
		"fee_unknown": "ショウニン マチ", "node_behind": "ノードガ オクレテ イルノデ ショウニン マチ",
		"conflict": "ベツノ シハライト キョウゴウ", "replaced": "シハライガ トリケサレマシタ",
		"expired": "キゲンガ スギマシタ", "cancelled": "トリヒキ チュウシ",
		"zero_confirmations": "キョウゴウ ナシ、ショウヒンヲ オワタシ デキマス", "confirmations": "シハライ ズミ、ショウニン ズミ", "paid": "シハライ ズミ",
		"mint_unavailable": "ハッコウジョガ マダ コタエマセン", "mint_fault": "ハッコウジョノ ヘンジヲ マッテ イマス",
		"held":        "ベツノ ヨウトニ アズカリ チュウ",
		"lottery_won": "チュウセンデ シハライ ズミ、コインハ オミセノ モノ", "lottery_lost": "チュウセンデ シハライ ズミ、コインハ オキャクサマニ",
		"spent": "シヨウ ズミノ コイン", "coin_expired": "コインノ キゲンギレ",
		"owed": "コノ レシートト ヒキカエニ ヘンキン", "ecash_off": "Eキャッシュハ アツカイマセン",
	},

	Practice: "レンシュウ", TotalCapital: "ゴウケイ", StillDue: "ノコリ", Received: "ウケトリ", Preparing: "オマチ クダサイ",
	Paid: "シハライ ズミ", NotPaid: "ミバライ", Change: "オツリ",
}
