# Keys on cards: the reader takes a swipe as soon as a key can be handed over. A
# coin's mini key pays a sale, an encrypted key asks for its passphrase, and the
# address for the change may be on a card too.
do sell
press 4 0 0 0
do next
scan "mwWwgctbM5MJ2T1FGmG1yoXxSado67c1zW" by keyboard
do approve
type "2\n2222\n"
do confirm
see "PAID OUT" within 10s
do acknowledge
mine 1
press 2 5 0 0
do next
say "the customer's address, on a card"
reader takes hi "%XGM17A7KPX0CS35PMAJA1RHEHPEHJ7WA37FBF0SMSQ8?"
reader swipe
do approve
type "2\n2222\n"
see /bcrt 1qw5 08d6/ in dialog
do confirm
see "PAID OUT" within 10s
do acknowledge
mine 1
do register
ring 12.30
do pay
do tender.key
say "an empty card, then a bad swipe"
reader takes hi
reader swipe
see /the card is empty/i
reader takes hi "%XGG0M5R31SC31MG14KW3EAAXNQMNNHVHNEPFBXCEK6GVZ2DVD7523MHTFJTNDW12PAMM4M1R?"
reader swipe bad
see /swipe/i
say "a card of another shop"
reader takes lo "%B4111111111111111^NOBODY/^99011010000?"
reader swipe
see /no bitcoin on this card|neither a key/i
reader takes hi "%XGG0M5R31SC31MG14KW3EAAXNQMNNHVHNEPFBXCEK6GVZ2DVD7523MHTFJTNDW12PAMM4M1R?" ";4111111111111111=9901?"
reader swipe
see /passphrase/i in dialog
type "wrong horse\n"
see /does not open/i within 10s
type "correct horse\n"
see "left over" within 10s
not "correct horse"
reader takes hi "%XGM17A7KPX0CS35PMAJA1RHEHPEHJ7WA37FBF0SMSQ8?"
reader swipe
see "change to"
do next
see "go back to" in dialog
do confirm
see "PAID" within 10s
paper "Key redeemed" within 5s
do acknowledge
mine 1
say "a coin: the shop takes everything"
do sell
press 2 0 0 0
do next
scan "ms8fwvXzrCoyatnGFRaLbepSqwGRxVJQF1" by keyboard
do approve
type "2\n2222\n"
do confirm
see "PAID OUT" within 10s
do acknowledge
mine 1
do key
reader takes lo "%XG59KCRSN6SH6WP2HD516MTSSDNRN6PA56XWPPNJH6X77MWJJF7QG2FGY?"
reader swipe
see "the shop takes" within 5s
see "coin"
do next
do confirm
see "TAKEN" within 10s
do acknowledge
journal verify
