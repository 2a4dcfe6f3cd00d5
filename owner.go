package leadroute

import "encoding/json"

// Ownership is who owns a person or a company by the assignment of a lead.
type Ownership struct {
	Rep RepID `json:"rep"`
	// Lead made it, by its claim (Rev, Try). It makes another when it moves on.
	Lead LeadID `json:"lead"`
	Rev  int    `json:"rev"`
	Try  int    `json:"try"`
	At   Millis `json:"at"`
	// Instead is the owner before, who is no rep any more.
	Instead RepID `json:"instead,omitempty"`
}

// Own asks a person's identity, or a company, whether the rep who accepted a lead may have
// it; who is the first becomes the owner.
type Own struct {
	Claim ClaimID `json:"claim"`
	N     int     `json:"n"` // the how-manieth of the lead's it is; Owned repeats it
	// Passed are owners who have just declined the lead, or lost it; Gone those of them who are no reps.
	Passed []RepID `json:"passed,omitempty"`
	Gone   []RepID `json:"gone,omitempty"`
	// Yield: the rep was named by one that counts for more.
	Yield bool `json:"yield,omitempty"`
	// Within is how long an identity is remembered, in ms.
	Within int64 `json:"within_ms,omitempty"`
	// Bid is the key under which the rep waits to hear what became of a bid; Owned repeats it.
	Bid string `json:"bid,omitempty"`
}

// Owned answers Own.
type Owned struct {
	Claim ClaimID `json:"claim"`
	N     int     `json:"n"`
	Yes   bool    `json:"yes,omitempty"`
	Made  bool    `json:"made,omitempty"`  // it made the rep the owner
	Owner RepID   `json:"owner,omitempty"` // who is to be asked instead
	Bid   string  `json:"bid,omitempty"`
}

// IdentityMessage is one message in the identities' inbox, keyed by identity. Exactly one
// member is set.
type IdentityMessage struct {
	Ask    *Ask    `json:"ask,omitempty"`
	Settle *Settle `json:"settle,omitempty"`
	Own    *Own    `json:"own,omitempty"`
	Check  *Check  `json:"check,omitempty"`
}

// Ask asks an identity which lead came with it first, and notes this one if none did. A
// lead asks its identities one after the other, in their order, and no further than to the
// first that knows another lead: so no two leads can each be the other's duplicate.
type Ask struct {
	Lead LeadID `json:"lead"`
	// Receipt is a hash of the posting's: a lead that is posted again under an id of before,
	// which the ledger has forgotten, is another lead.
	Receipt uint64 `json:"receipt"`
	N       int    `json:"n"`              // counts the lead's asks; Met repeats it
	Last    bool   `json:"last,omitempty"` // it asks no other: if it is the first, it stands
	// Instead is a lead that is finished: where it came first, this one takes its place.
	Instead LeadID `json:"instead,omitempty"`
	// Within is how long the identity is remembered, in ms; Slide: from this lead on, else from the first one.
	Within int64 `json:"within_ms"`
	Slide  bool  `json:"slide,omitempty"`
}

// Join asks a lead to take in another one of the same person.
type Join struct {
	Lead   LeadID          `json:"lead"`
	N      int             `json:"n"` // counts the lead's asks; Joined repeats it
	Fields json.RawMessage `json:"fields"`
}

// Joined answers Join. It was taken in, or is to ask Root, or (neither) is to go its own way.
type Joined struct {
	N     int    `json:"n"`
	Taken bool   `json:"taken,omitempty"`
	Root  LeadID `json:"root,omitempty"`
}

// Met is an identity's answer to an Ask.
type Met struct {
	N     int    `json:"n"`
	First bool   `json:"first,omitempty"` // nobody came before
	Lead  LeadID `json:"lead,omitempty"`  // who did
	// Stands: that lead is nobody's duplicate, for good.
	Stands bool `json:"stands,omitempty"`
	// Owner is the rep who got the person's first lead.
	Owner RepID `json:"owner,omitempty"`
}

// Settle tells an identity what a lead that asked it, or another identity of its own, turned
// out to be: the first (Root is Lead), or the duplicate of Root, to be noted in its place.
type Settle struct {
	Lead   LeadID `json:"lead"`
	Root   LeadID `json:"root"`
	Stands bool   `json:"stands,omitempty"` // Root is nobody's duplicate, for good
	Within int64  `json:"within_ms"`
}
