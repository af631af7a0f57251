// What Marie and her people write: the words that the history is made of.

/** Someone Marie writes with. lines alternate between the two, "<" from Marie; a line with {picture} carries one. */
export interface Friend {
  readonly id: string;
  readonly name: string;
  readonly hue: number; // of the round picture with the initial
  readonly lines: readonly string[];
}

// {day}, {hour} and {place} are filled in, so that the same line is not the same
// twice.
export const friends: readonly Friend[] = [
  {
    id: "grandma", name: "Grandma Ilse", hue: 28, lines: [
      "Is this the right button? I am pressing it now.", "< It worked, Grandma!", "The garden on {day} {picture}", "< So beautiful. Are those the new roses?",
      "They are, and the neighbour is jealous.", "< Ha! Save one for me.", "Are you eating properly", "< I cook. Sometimes. On {day}.", "I looked at the old albums: your grandfather at {place} {picture}",
      "< I have never seen this one! Thank you", "He walked there at {hour} every morning.", "< I'd like to see it with you", "Then come on {day}. I bake.", "< I am on the train at {hour}!",
      "Wear the warm coat.", "< I am thirty-four, Grandma", "So wear the warm coat.", "< Fine. {picture}", "That is a thin coat.", "< ❤️",
    ],
  },
  {
    id: "jun", name: "Jun", hue: 205, lines: [
      "are we still on for {day}?", "< yes! {hour} at the bridge?", "make it a bit later, my bus", "< ok. bring the map", "which map. we have phones", "< phones get lost, Jun",
      "mine never does", "< mine will, you'll see", "look where I am {picture}", "< WHAT. is that {place}?", "you guessed it in a second, unfair", "< I'd know that hill anywhere",
      "we should walk it in spring", "< deal", "I've found our tent again", "< with or without the hole", "with. it has grown", "< {picture} this was last time",
      "my favourite weekend of all", "< mine too",
    ],
  },
  {
    id: "band", name: "The Tuesday band", hue: 285, lines: [
      "Rehearsal on {day} at {hour}?", "< I'm in", "Ana: me too, and I'll have the amp", "< the loud one?", "Ana: the very loud one", "Tom: my neighbours moved out, by the way", "< I wonder why",
      "Tom: poster draft, with the view from {place} {picture}", "< love it. bigger letters?", "Ana: no. fewer letters", "< the setlist is the same as on {day}?", "Tom: minus the one we can't play",
      "< so all of them", "Ana: ha", "Tom: we got the slot at {hour}!!", "< !!!", "Ana: I'm telling my mother", "< {picture} last night, from the stage", "Tom: nobody fell off it this time", "< progress",
    ],
  },
  {
    id: "lea", name: "Lea (flat)", hue: 150, lines: [
      "The heating man comes on {day} at {hour}", "< I'll be home", "You are my hero", "< I want that in writing", "You are my hero.", "< thanks", "Balcony right now {picture}", "< don't let the cat out",
      "The cat is out", "< LEA", "The cat is in again. She only looked at {place}", "< I need a new heart", "Rent is paid, I took it from the tin", "< perfect. milk?", "Two. And the good bread",
      "< they close at {hour}, I'm running", "Run!", "< got it {picture}", "This is the cat in a bag", "< she likes it there",
    ],
  },
];

export const days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;
export const places = ["the lake", "Mount Tilda", "the old harbour", "the pass", "the water tower", "the north pier", "the orchard", "the tram depot", "the lookout"] as const;
