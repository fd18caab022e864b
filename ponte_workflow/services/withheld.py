"""Why messages wait for a person when no way leads to whom they are for; the words are in message_words."""

NO_WAY = "no way leads to this person: "  # each channel and its reason follow
NO_ADDRESS = "no mail address is known: tell the person in another way"
