// Fifty thousand files that no honest writer wrote. `npm run fuzz` runs as many as one likes.
import { expect, test } from 'vitest';
import { Campaign, KINDS } from './campaign.ts';
import { PAYLOAD_KINDS, PayloadCampaign } from './payloads.ts';

const CASES = { damaged: 30_000, 'distorted and signed': 17_000, configuration: 3000 };

test.each(KINDS)(
  'never a trap, a status that is none, endless work, a forgery accepted or a device that is stuck: %s [CRA-I-2k]',
  (kind) => {
    const campaign = new Campaign(2026);
    for (let i = 0; i < CASES[kind]; i++) campaign.run(kind);
    // Some pass: what is behind the first check is reached too.
    expect(campaign.accepted).toBeGreaterThan(CASES[kind] / 100);
    expect(campaign.accepted).toBeLessThan(CASES[kind]);
  },
  240_000,
);

test.each(PAYLOAD_KINDS)(
  'never a trap, a status that is none, endless work or a damaged image selected: %s [CRA-I-2k]',
  (kind) => {
    const campaign = new PayloadCampaign(2026);
    for (let i = 0; i < 1000; i++) campaign.run(kind);
    expect(campaign.accepted).toBeLessThan(campaign.cases / 4);
  },
  240_000,
);
