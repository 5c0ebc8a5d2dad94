"""What can be drawn: one emoji, one noun and its plural each.

Used by `scenes` (captions), `painting` (which glyph) and by the training script (vocabulary). The order is
part of every seeded drawing: append, never insert.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Noun:
    """One drawable thing.

    Attributes:
        glyph: the emoji character.
        singular: `fox`.
        plural: `foxes`.
    """

    glyph: str
    singular: str
    plural: str

    def counted(self, count: int) -> str:
        """The noun with its article or number word: `a fox`, `an owl`, `two foxes`."""
        if count == 1:
            return f"{article(self.singular)} {self.singular}"
        return f"{NUMBER_WORDS[count]} {self.plural}"


def article(word: str) -> str:
    """`a` or `an`, by sound."""
    vowel = word[0] in "aeiou" and not word.startswith("uni")
    return "an" if vowel or word.startswith("hour") else "a"


NUMBER_WORDS: Final = {2: "two", 3: "three"}

# Written `glyph singular`, with `/plural` where adding an s would be wrong.
_LISTED = """
🐶 dog; 🐱 cat; 🐰 rabbit; 🦊 fox/foxes; 🐻 bear; 🐼 panda; 🐨 koala; 🐯 tiger; 🦁 lion; 🐮 cow; 🐷 pig
🐸 frog; 🐵 monkey; 🐔 chicken; 🐧 penguin; 🦆 duck; 🦉 owl; 🐴 horse; 🦄 unicorn; 🐝 bee
🦋 butterfly/butterflies; 🐌 snail; 🐞 ladybug; 🐢 turtle; 🐍 snake; 🦖 dinosaur; 🐙 octopus/octopuses
🦑 squid/squids; 🦀 crab; 🐡 pufferfish/pufferfishes; 🐬 dolphin; 🐳 whale; 🦈 shark; 🐊 crocodile; 🦓 zebra
🐘 elephant; 🦒 giraffe; 🦘 kangaroo; 🐪 camel; 🦔 hedgehog; 🦚 peacock; 🦜 parrot; 🦩 flamingo; 🦇 bat
🦂 scorpion; 🌵 cactus/cactuses; 🌲 fir; 🌴 palm; 🌻 sunflower; 🌷 tulip; 🌹 rose; 🍀 clover; 🍄 mushroom
🍎 apple; 🍐 pear; 🍊 tangerine; 🍋 lemon; 🍌 banana; 🍉 watermelon; 🍓 strawberry/strawberries
🍑 peach/peaches; 🍍 pineapple; 🥥 coconut; 🥝 kiwi; 🍅 tomato/tomatoes; 🍆 eggplant
🥑 avocado; 🥕 carrot; 🌶 pepper; 🥐 croissant; 🥨 pretzel; 🧀 cheese; 🥚 egg; 🍔 burger; 🍕 pizza
🌭 hotdog; 🌮 taco; 🍩 donut; 🍪 cookie; 🎂 cake; 🧁 cupcake; 🍭 lollipop; 🍬 candy/candies
☕ coffee; 🍺 beer; 🍷 wineglass/wineglasses; 🚗 car; 🚕 taxi; 🚌 bus/buses; 🚑 ambulance; 🚜 tractor
🚲 bicycle; 🛵 scooter; 🚂 train; 🚀 rocket; 🚁 helicopter; ⛵ sailboat; 🚢 ship; ⚓ anchor; 🛸 saucer
🎈 balloon
🏠 house; 🏰 castle; ⛺ tent; 🗼 tower; 🌋 volcano/volcanoes; 🗿 statue; ⌚ watch/watches; 📱 phone; 💻 laptop
📷 camera; 📺 television; 📻 radio; ☎ telephone; 🔋 battery/batteries; 💡 bulb; 🔦 flashlight; 🕯 candle
💎 diamond; 🔧 wrench/wrenches; 🔨 hammer; 🪓 axe; 🧲 magnet; 🔑 key; 🔒 padlock; 🚪 door; 🪑 chair
🛒 cart; 🎁 gift; 🎀 ribbon; 🧸 teddy/teddies; 📕 book; 📎 paperclip; 📌 pin; 🧭 compass/compasses
⏰ clock; ⌛ hourglass/hourglasses; 🌍 globe; 🔔 bell; 🎺 trumpet; 🎸 guitar; 🎻 violin; 🥁 drum; 🎹 piano
🎤 microphone; ⚽ football; 🏀 basketball; ⚾ baseball; 🎯 target; 🧩 puzzle; 🪁 kite; 🛹 skateboard
🏆 trophy/trophies; 🥇 medal; 👑 crown; 🎩 hat; 👟 sneaker; 👢 boot; 👗 dress/dresses; 👕 shirt; ☂ umbrella
🎒 backpack; 👜 handbag; 💍 ring; 🔭 telescope; 🔬 microscope; 💊 pill; 🪐 planet; ☀ sun; ⭐ star
🔥 flame; 🎃 pumpkin; 👻 ghost; 🤖 robot; 👽 alien; 💀 skull; ❤ heart; 🧠 brain; 🌈 rainbow; 🪶 feather
🛡 shield; 🎨 palette; 🪣 bucket; 🧹 broom; 🧺 basket; 🛁 bathtub
"""


def _parse(listed: str) -> tuple[Noun, ...]:
    """The table above as nouns."""
    nouns = []
    for entry in listed.replace("\n", ";").split(";"):
        if entry.strip():
            glyph, words = entry.split()
            singular, _, plural = words.partition("/")
            nouns.append(Noun(glyph, singular, plural or f"{singular}s"))
    return tuple(nouns)


NOUNS: Final = _parse(_LISTED)
