package taler

import (
	"bytes"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"sync"
	"testing"
)

// vectors is testdata/ecash.json, the project's vectors for the merchant API.
type vectors struct {
	Base32  []struct{ Hex, Text string }
	Refused []string `json:"base32_refused"`
	Keys    map[string]struct {
		Priv, Pub string
		PrivHex   string `json:"priv_hex"`
		PubHex    string `json:"pub_hex"`
	}
	RSA struct {
		N        string `json:"n_hex"`
		E        string `json:"e_hex"`
		D        string `json:"d_hex"`
		DenomPub string `json:"denom_pub"`
	}
	Wire              json.RawMessage
	WireCanonical     string `json:"wire_canonical"`
	HWire             string `json:"H_wire"`
	Contract          json.RawMessage
	ContractCanonical string      `json:"contract_canonical_without_msig"`
	HA                string      `json:"H_a"`
	MSig101           blockVector `json:"msig_101"`
	CSig201           blockVector `json:"csig_201"`
	CSig202           blockVector `json:"csig_202"`
	Lock203           blockVector `json:"lock_203"`
	Deposit10         blockVector `json:"deposit_confirmation_10"`
	Lock11            blockVector `json:"lock_confirmation_11"`
	Coin              struct {
		CoinPub  string `json:"coin_pub"`
		HCoinPub string `json:"h_coin_pub"`
		BKS      string
		FDH      struct {
			FDH    string `json:"fdh_hex"`
			R      string `json:"blinding_r_hex"`
			CoinEv string `json:"coin_ev"`
			EvSig  string `json:"ev_sig"`
			UBSig  string `json:"ub_sig"`
		}
	}
	More struct {
		SigningKey1   blockVector   `json:"signing_key_1"`
		Denomination2 blockVector   `json:"denomination_2"`
		Withdraw4     blockVector   `json:"withdraw_4"`
		KeyList12     blockVector   `json:"key_list_12"`
		Receipt102    blockVector   `json:"receipt_102"`
		Offer103      blockVector   `json:"offer_103"`
		Extras104     blockVector   `json:"extras_104"`
		Unlock106     blockVector   `json:"unlock_106"`
		Lottery204    lotteryVector `json:"lottery_204"`
	} `json:"blocks_more"`
}

type blockVector struct {
	Block       string `json:"block_hex"`
	Len         int    `json:"block_len"`
	SHA512      string
	Signature   string
	ReservePriv string `json:"reserve_priv_hex"`
	ReservePub  string `json:"reserve_pub"`
}

type lotteryVector struct {
	blockVector
	RM         string `json:"r_m_hex"`
	RC         string `json:"r_c_hex"`
	Price      uint64 `json:"price_micro"`
	Value      uint64 `json:"value_micro"`
	Odds       string
	OddsBase32 string `json:"odds_base32"`
	Won        bool
}

var loadVectors = sync.OnceValue(func() *vectors {
	text, err := os.ReadFile("testdata/ecash.json")
	if err != nil {
		panic(err)
	}
	v := new(vectors)
	if err := json.Unmarshal(text, v); err != nil {
		panic(err)
	}
	return v
})

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func (v *vectors) private(name string) PrivateKey {
	return PrivateKeyFromSeed([32]byte(unhex(v.Keys[name].PrivHex)))
}

func (v *vectors) public(name string) PublicKey { return PublicKey(unhex(v.Keys[name].PubHex)) }

func (v *vectors) rsa() *rsa.PrivateKey {
	n, e, d := new(big.Int).SetBytes(unhex(v.RSA.N)), new(big.Int).SetBytes(unhex(v.RSA.E)), new(big.Int).SetBytes(unhex(v.RSA.D))
	p, q := factor(n, e, d)
	return &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: n, E: int(e.Int64())}, D: d, Primes: []*big.Int{p, q}}
}

// factor finds the primes of n from both exponents: ed−1 = 2^t·r, and a square root
// of 1 other than ±1 among g^(2^i·r) (Boneh, Twenty Years of Attacks on RSA, fact 1).
func factor(n, e, d *big.Int) (p, q *big.Int) {
	k := new(big.Int).Sub(new(big.Int).Mul(e, d), one)
	t := k.TrailingZeroBits()
	r := new(big.Int).Rsh(k, t)
	minus := new(big.Int).Sub(n, one)
	for g := int64(2); ; g++ {
		x := new(big.Int).Exp(big.NewInt(g), r, n)
		for range t {
			y := new(big.Int).Exp(x, big.NewInt(2), n)
			if y.Cmp(one) == 0 && x.Cmp(one) != 0 && x.Cmp(minus) != 0 {
				p = new(big.Int).GCD(nil, nil, new(big.Int).Sub(x, one), n)
				return p, new(big.Int).Quo(n, p)
			}
			x = y
		}
	}
}

var denomSecret = sync.OnceValue(func() *DenomSecret {
	d, err := NewDenomSecret(loadVectors().rsa())
	if err != nil {
		panic(err)
	}
	return d
})

func eur(micro uint64) Amount {
	a, err := NewAmount("EUR", micro)
	if err != nil {
		panic(err)
	}
	return a
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// vectorTerms are the terms of the vectors' contract.
func (v *vectors) terms() *Terms {
	return &Terms{
		TransactionID: 42, Expiry: 1421000000000, Amount: eur(1_000_000),
		Description: "A contract for one essay", HWire: must(ParseHash(v.HWire)),
	}
}

func (v *vectors) spend(t Type) *Spend {
	return &Spend{
		Type: t, TransactionID: 42, Amount: eur(1_000_000), Merchant: v.public("merchant"),
		HA: must(ParseHash(v.HA)), HWire: must(ParseHash(v.HWire)),
	}
}

const vectorLockUntil Time = 1421003600000

func (v *vectors) lock() *Lock {
	return &Lock{PublicCoin{Coin: v.public("coin")}, Hold{
		TransactionID: 42, MaxAmount: eur(5_000_000), LockUntil: vectorLockUntil, Merchant: v.public("merchant"),
	}}
}

func (v *vectors) denomination() *Denomination {
	return &Denomination{
		Pub: must(ParseDenomPub(v.RSA.DenomPub)), Value: eur(5_000_000),
		FeeWithdraw: eur(10_000), FeeDeposit: eur(10_000), FeeRefresh: eur(10_000),
		Start: 1420000000000 / 1000 * 1000, ExpireWithdraw: 1, ExpireDeposit: 1,
	}
}

// timeAt reads a binary time out of a block.
func timeAt(block string, offset int) Time {
	var us uint64
	for _, b := range unhex(block)[offset : offset+8] {
		us = us<<8 | uint64(b)
	}
	return Time(us / 1000)
}

func TestBlocksAndSignaturesAreThoseOfTheVectors(t *testing.T) {
	v := loadVectors()
	p := &Permission{PublicCoin{Coin: v.public("coin")}, *v.spend(Direct)}
	more := &v.More
	den := v.denomination()
	den.Start, den.ExpireWithdraw, den.ExpireDeposit = timeAt(more.Denomination2.Block, 40), timeAt(more.Denomination2.Block, 48), timeAt(more.Denomination2.Block, 56)
	key := &SigningKey{Start: timeAt(more.SigningKey1.Block, 40), Expire: timeAt(more.SigningKey1.Block, 48), Key: v.public("mint")}
	list := &KeyList{Issued: timeAt(more.KeyList12.Block, 8), Denoms: []Denomination{*den}}
	reserve := PrivateKeyFromSeed([32]byte(unhex(more.Withdraw4.ReservePriv)))
	if got := reserve.Public().String(); got != more.Withdraw4.ReservePub {
		t.Errorf("reserve key %s", got)
	}
	withdrawal := &Withdrawal{Reserve: reserve.Public(), Denom: den.Pub, CoinEv: must(DecodeBase32(v.Coin.FDH.CoinEv))}
	receipt := &Receipt{TransactionID: 42, Time: timeAt(more.Receipt102.Block, 16), Amount: eur(1_000_000),
		HA: must(ParseHash(v.HA)), HCSigs: hashCSigs([]Signature{must(ParseSignature(v.CSig201.Signature))})}
	offer := &Offer{TransactionID: 42, LockUntil: vectorLockUntil, MaxAmount: eur(5_000_000), HWire: must(ParseHash(v.HWire))}
	lottery := v.spend(Probabilistic)
	lottery.Amount, lottery.RC = eur(5_000_000), Nonce(unhex(more.Lottery204.RC))
	draw := Draw{Nonce(unhex(more.Lottery204.RM)), must(OddsOf(eur(more.Lottery204.Price), eur(more.Lottery204.Value)))}

	for _, c := range []struct {
		name   string
		block  Block
		vector blockVector
		signer PrivateKey
	}{
		{"101 contract", v.terms().block(), v.MSig101, v.private("merchant")},
		{"201 direct", v.spend(Direct).block(Commitment{}), v.CSig201, v.private("coin")},
		{"202 incremental", v.spend(Incremental).block(Commitment{}), v.CSig202, v.private("coin")},
		{"203 lock", v.lock().block(), v.Lock203, v.private("coin")},
		{"10 deposit confirmation", depositBlock(p), v.Deposit10, v.private("mint")},
		{"11 lock confirmation", lockBlock(v.lock()), v.Lock11, v.private("mint")},
		{"1 signing key", key.block(v.public("master")), more.SigningKey1, v.private("master")},
		{"2 denomination", den.block(v.public("master")), more.Denomination2, v.private("master")},
		{"4 withdraw", must(withdrawal.block(den)), more.Withdraw4, reserve},
		{"12 key list", list.block(), more.KeyList12, v.private("mint")},
		{"102 receipt", receipt.block(), more.Receipt102, v.private("merchant")},
		{"103 offer", offer.block(), more.Offer103, v.private("merchant")},
		{"104 extras", extrasBlock(must(ParseHash(v.HA))), more.Extras104, v.private("merchant")},
		{"106 unlock", (&Unlock{TransactionID: 42, Coin: v.public("coin")}).block(), more.Unlock106, v.private("merchant")},
		{"204 lottery", lottery.block(draw.Commitment()), more.Lottery204.blockVector, v.private("coin")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := hex.EncodeToString(c.block.Bytes()); got != c.vector.Block {
				t.Fatalf("block\n%s instead of\n%s", got, c.vector.Block)
			}
			if got := len(c.block.Bytes()); got != c.vector.Len {
				t.Errorf("%d bytes instead of %d", got, c.vector.Len)
			}
			sig := c.signer.Sign(c.block)
			if sig.String() != c.vector.Signature {
				t.Errorf("signature %s instead of %s", sig, c.vector.Signature)
			}
			if !c.signer.Public().Verify(c.block, sig) {
				t.Error("the signature does not verify")
			}
			sig[0] ^= 1
			if c.signer.Public().Verify(c.block, sig) {
				t.Error("a changed signature verifies")
			}
		})
	}
}

func TestTheLotteryIsThatOfTheVectors(t *testing.T) {
	v := loadVectors().More.Lottery204
	odds := must(OddsOf(eur(v.Price), eur(v.Value)))
	if odds.String() != v.OddsBase32 {
		t.Errorf("odds %s instead of %s", odds, v.OddsBase32)
	}
	if got := (Draw{Nonce(unhex(v.RM)), odds}).Won(Nonce(unhex(v.RC))); got != v.Won {
		t.Errorf("won: %t", got)
	}
}

func TestHashesAreThoseOfTheVectors(t *testing.T) {
	v := loadVectors()
	if got := must(Canonical(v.Wire)); string(got) != v.WireCanonical {
		t.Errorf("wire %s", got)
	}
	if got := must(HashJSON(v.Wire)); got.String() != v.HWire {
		t.Errorf("H_wire %s", got)
	}
	contract := must(parse(v.Contract, MaxRequest))
	if got := contract.without("msig", "xsig").canonical(); string(got) != v.ContractCanonical {
		t.Errorf("contract %s", got)
	}
	if got := contractHash(contract); got.String() != v.HA {
		t.Errorf("H_a %s", got)
	}
}

func TestKeysAreThoseOfTheVectors(t *testing.T) {
	v := loadVectors()
	for name, k := range v.Keys {
		private := must(ParsePrivateKey(k.Priv))
		if seed := private.Reveal(); hex.EncodeToString(seed[:]) != k.PrivHex || private.Public().String() != k.Pub ||
			private.Public() != v.public(name) || !private.Public().Valid() {
			t.Errorf("key %s is not the vectors'", name)
		}
	}
}

func TestBlindSignaturesAreThoseOfTheVectors(t *testing.T) {
	v := loadVectors()
	secret := denomSecret()
	key := secret.Public()
	if key.Pub().String() != v.RSA.DenomPub {
		t.Errorf("denom_pub %s", key.Pub())
	}
	if parsed := must(must(ParseDenomPub(v.RSA.DenomPub)).Key()); parsed.n.Cmp(key.n) != 0 || parsed.e.Cmp(key.e) != 0 {
		t.Error("denom_pub decodes to another key")
	}
	coin := must(ParsePublicKey(v.Coin.CoinPub))
	if got := Nonce(coin).Hash(); got.String() != v.Coin.HCoinPub {
		t.Errorf("hash of the coin %s", got)
	}
	if got := must(key.fullDomainHash(coin)); hex.EncodeToString(key.blob(got)) != v.Coin.FDH.FDH {
		t.Errorf("FDH %x", got)
	}
	seed := SecretFrom([32]byte(must(DecodeBase32(v.Coin.BKS))))
	if got := must(key.blindingFactor(seed)); hex.EncodeToString(key.blob(got)) != v.Coin.FDH.R {
		t.Errorf("r %x", got)
	}
	coinEv := must(key.Blind(coin, seed))
	if coinEv.String() != v.Coin.FDH.CoinEv {
		t.Errorf("coin_ev %s", coinEv)
	}
	evSig := must(secret.BlindSign(bytes.NewReader(make([]byte, 32)), coinEv))
	if evSig.String() != v.Coin.FDH.EvSig {
		t.Errorf("ev_sig %s", evSig)
	}
	ubsig := must(key.Unblind(coin, seed, evSig))
	if ubsig.String() != v.Coin.FDH.UBSig {
		t.Errorf("ub_sig %s", ubsig)
	}
}

func TestBase32IsThatOfTheVectors(t *testing.T) {
	v := loadVectors()
	for _, c := range v.Base32 {
		if got := EncodeBase32(unhex(c.Hex)); got != c.Text {
			t.Errorf("%s encodes to %s", c.Hex, got)
		}
		if got := must(DecodeBase32(c.Text)); !bytes.Equal(got, unhex(c.Hex)) {
			t.Errorf("%s decodes to %x", c.Text, got)
		}
	}
	for _, text := range v.Refused {
		if got, err := ParseTransactionID(text); err == nil {
			t.Errorf("%s decodes to %d", text, got)
		}
	}
}
