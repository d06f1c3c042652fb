-- 0008 was to give the three rows of high parts to killmails with ids of 2^31 and above, and gave them to all that it moved:
-- `1 << 31` is a negative number. Where they are nothing but noughts they go.
UPDATE killmails SET attackers = attackers[1:5] WHERE array_length(attackers, 1) = 8 AND 0 = ALL (attackers[6:8]);
