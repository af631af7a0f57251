/** The words of recovery/pinwords.txt, which people like to take for passwords: names, teams, animals, phrases. */
export const pinWords =
  "aaaaaa abcabc abcd abcde abcdef abcdefg abcdefgh abigail abril access acdc acmilan adele admin administrator adrian " +
  "adriana africa agent007 agosto airforce ajax alejandro alessandro alex alexander alexandra alexis alice alicia alina " +
  "alison allah alpha always alyssa amanda amazing amazon amber amelia amen america amor amore amormio anastasia andrea " +
  "andreas andrew android angel angela angelica angelina angelo angels anita anja anna annie anthony anton antonia antonio " +
  "anything apollo apple apples april aragorn argentina ariana arianna ariel army armybts arsenal asdasd asdf asdfasdf " +
  "ashley assassin astonvilla astronaut astros athena atletico audi august aurora austin australia autumn avatar avenger " +
  "avengers awesome azerty1 babe baby babyboy babygirl babylove bacon badboy badgirl bailey ballet bambi banana bananas " +
  "bandit bangladesh barbara barca barcelona baseball basketball bass batman bayern bayernmunchen beach bear bears beatles " +
  "beatrice beautiful beckham beer beijing believe bella belle benfica bengals benjamin bentley benz berlin besiktas " +
  "bestfriend bestfriends beta beyonce bianca bible bieber bienvenido bienvenue bigboy bigdaddy bigdog bigmac bilbo billie " +
  "billion bills birgit birthday bismillah bitcoin black blackberry blackcat blackjack blackpink bleach bless blessed " +
  "blessing blink182 blue blueberry bobmarley boca bond bond007 bonjour borussia boston boxing brandon brasil braves " +
  "brazil bremen brenda brewers brian brianna brittany broncos bronze brooklyn brother brownie browns bucks buddha buddy " +
  "budweiser bugatti bulls bulma bunny burger burrito buster butter byebye cadillac california camaro camila canada candy " +
  "cappuccino captain cardinals cariño carla carlos carmen carolina caroline carrot carter cash casino casper catherine " +
  "catlover cats catwoman cecilia celtic celtics champagne champion champions changeme charger chargers charles charlie " +
  "charlotte cheese cheesecake cheetah chelsea chelsey cherie cherries cherry chevrolet chevy chewbacca chicago chicken " +
  "chiefs chile china chivas chloe chocolate chouchou christ christian christina christine christmas christopher church " +
  "ciao cinderella citroen claire clara claudia cocacola coconut coffee coldplay college colombia computer contrasena " +
  "cookie cookies cool coolcat cooper corazon corinthians corona corvette cosmos cougar cowboy cowboys cowgirl cream " +
  "cricket cristiano cristianoronaldo cristina cruzeiro crypto crystal cubs cupcake curry cutie cycling cynthia daddy " +
  "daisy dakota dallas dana dance dancer dancing daniel daniela danielle dark darklord darkness darkside darling " +
  "darthvader daughter david davide deadman deadpool death debbie deborah december default delta demo demon denise denver " +
  "destiny deutschland devil devils dezember diamond diamonds diana diane diciembre diego dienstag dieter digimon disco " +
  "doctor dodge dodgers dogecoin doggie doggy doglover dogs dollar dolphin dolphins domingo dominique donald donna " +
  "donnerstag doraemon dorothy dortmund dory doudou dragon dragonball dragonballz dragons drake dream dreamer dreaming " +
  "dreams drowssap drummer drums ducati dumbledore dusty dylan eagle eagles earth easter ecuador eduardo eeyore egypt " +
  "eleanor elena elephant eleven elias eliza elizabeth ella ellie elsa elvis emerald emil emily eminem emma enero engel " +
  "engineer england enter enterprise entry erika erin espana espresso ethan ethereum euro evanescence evelyn everton " +
  "everything example fabian facebook faith falcon falcons familia familie family fanta fantastic father febrero februar " +
  "february felix fenerbahce fernando ferrari feyenoord fiat finn fiona fire fireball firefly fireman flamengo flash " +
  "florence florian florida flower flowers football ford forest forever formula fortnite fortune fourfive france francesco " +
  "francisco frankfurt franziska freedom freitag friday frieda friend friends friendship frodo frozen fruehling funny " +
  "gabriel gabriela gabriella gaga galatasaray galaxy game gamer gamers games gaming gamma gandalf ganesh gangsta gangster " +
  "garden garfield geheim geheimnis genesis genius georgia germany ghost ghosts giants ginger giovanni giraffe giuseppe " +
  "gladiator gloria gmail godbless godisgood godislove gohan goku gold golden golf golfer gollum goodboy goodbye goodgirl " +
  "goodmorning goodnight goofy google goose gorgeous gospel grace gracie grandma grandpa granted grape green greenday " +
  "gremio greta grizzlies gryffindor guest guinness guitar haaland hacked hacker hackme hallo halloween hamburg hamburger " +
  "hamster handsome hanna hannah hansolo happiness happy happyday harley harleydavidson harleyquinn harrypotter " +
  "harrystyles hase hasi haslo hawaii hawk hawks heart hearts heat heather heaven heavenly hector hedwig heike heineken " +
  "heinz hell hellfire hello hellohello hellokitty helmut henry herbst hercules hermione hero heroes heslo hinata hiphop " +
  "hithere hobbit hockey hogwarts hola holly honda honey hongkong hope hornets horse horses hotdog hotgirl hotmail " +
  "hotstuff hottie houston huawei hugs hulk hummer hundred hunter husband icecream ichigo ichliebedich iloveme iloveu " +
  "iloveyou inception india indians indonesia instagram inter intermilan internet invierno iphone ireland iris ironmaiden " +
  "ironman island israel itachi italia italy jackie jackpot jackson jacob jade jaguar jaguars jakarta jamaica james " +
  "jamesbond januar january japan jasmin jasmina jasmine jason javier jedi jeep jelszo jennifer jessica jesus jesuschrist " +
  "jetaime jets jimin johanna john joker jonas jonathan jordan jordana jose joseph joshua juan judo juergen jueves juli " +
  "julia julian juliana julie julio july june jungkook jungle juni junio jupiter justin justinbieber justine juve juventus " +
  "kakashi kanye karate karen karl katharina katherine kathryn katie katrin kawasaki kelly kennwort kenya kevin killer " +
  "killers kimberly king kingdom kirk kiss kisses kissme kitten kitty kiwi klaus knicks knight kobe kobebryant kode koeln " +
  "korea krishna kristen kristina kroos kyoto ladygaga lakers lambda lamborghini laugh laura lauren lawyer lazio lebron " +
  "lebronjames ledzeppelin leeds legend legends legolas leia lemon lemonade lena leon leonardo leonie leopard letmein " +
  "letmeinn lewandowski liam liberty liebe lightning lilo lily linda linkedin linkinpark lion lions lisa lisbon liverpool " +
  "lkjhgf logan login lollipop london lorenzo losenord lottery lotus loulou love lovelove lovely loveme lover lovers " +
  "loveyou luca lucas lucia lucifer lucky lucy luffy luigi luis lukas luke luna lunes lydia lyon mackenzie madison madonna " +
  "madrid maggie magic magical malaysia mama mamama mamapapa manchester manchesterunited mancity manfred mango manila " +
  "manuel manutd maradona march marco margaret maria marie marine mariners marines mario markus marlins mars marseille " +
  "martes martha marvel mary marzo maserati mason master mastercard mastermind masters mathilda matrix matteo matthew maus " +
  "mausi maverick mavericks maximilian mayo mazda mbappe megan melbourne melissa melon mercedes mercury merlin messi metal " +
  "metallica mets mexico miamor michael michaeljackson michaeljordan michelle mickey microsoft miercoles miguel milan " +
  "military million millionaire minecraft minnie miracle misty mittwoch mnbvcx mohammed molly mommy monaco monday money " +
  "monika monkey montag montreal moon moonlight moonshine moritz morpheus moscow motdepasse mother mouse muenchen mufasa " +
  "muffin muhammad mulan muller mummy munich music musica musical mustang mylove mypass mypassword myspace mystery nala " +
  "nami napoli naruto nasa natalia natalie natasha nathan navy nemo neptune netflix nets neuer newcastle newyork " +
  "newzealand neymar nicholas nicole nigeria niklas nina ninja nintendo nippon nirvana nissan noah nobody nokia noone " +
  "nopassword nothing november noviembre number1 numberone nurse nutella obiwan ocean october octubre officer oktober olaf " +
  "oliver omega onedirection onepiece onetwo onetwothree onion onyx opel openme opensesame openup orange oranges orchid " +
  "osaka oscar outlook p4ssword p@ssw0rd p@ssword pa$$word pa55word pablo packers padawan pakistan palmeiras pamela " +
  "pancake panther panthers paolo papa paris parker parola party pass passcode passpass passw0rd passwd password passwort " +
  "pasta patricia patrick patriot patriots paul paula paypal peace peach peaches peanut pearl pedro pele pelicans penguin " +
  "penguins pepper pepsi perfect peru peter petra peugeot philipp philippines phillies phoenix piano picard piglet pikachu " +
  "pilot pineapple pink pinkfloyd pirate pirates pistons pizza planet playboy player playgirl playstation please pluto " +
  "poiuyt pokemon poker poland police polska pony pooh popstar porsche porto portugal potato potter pretty primavera " +
  "prince princess private puma pumba pumpkin puppies puppy purple pussycat qazwsx queen queenband qweasd qweasdzxc qweqwe " +
  "qwer qwerasdf qwert qwerty1 qwertyu rabbit racecar rachel racing rafael raiders rain rainbow rambo rammstein ranger " +
  "rangers rapper rapunzel raspberry rasta ravens realmadrid rebecca redsox reggae renault rexy ricardo riccardo richard " +
  "rihanna river robert roberto robin roblox rocco rock rocket rockets rocknroll rockstar rocky rolling roma rome ronaldo " +
  "rooney root rose roses royals ruby rugby runner running russia rusty saab sabado sabine sabrina sadie sailor sailormoon " +
  "saints sakura salasana salt salut samantha sample samstag samsung samuel samurai sandra sanji santos sapphire sara " +
  "sarah sasuke satan saturday saturn sauron schalke schatz schatzi school scotland scout sebastian sebastien secret " +
  "secure security selena selenagomez senha seoul september septiembre sesame seven severus sexy sexybaby sexygirl shadow " +
  "shakira shanghai shannon shaq shark sharks sharon sheila shiva sifre sigma silke silver simba simone singapore sister " +
  "sith sixers skoda skull skywalker slipknot slytherin smart smile smiles smiley smokey snapchat snape sniper snoopy snow " +
  "snowball snowflake snowman soccer sofia soldier somebody something sommer sonic sonntag sony sophia sophie sorry space " +
  "spaceman spaghetti spain spider spiderman spock sporting spotify spring sprite spurs star stardust starlight stars " +
  "startrek starwar starwars steelers stefan stefano steffi stella stephanie stephen steven stitch stones storm strawberry " +
  "student stuttgart subaru sugar summer sunday sunflower sunny sunrise suns sunset sunshine superman superstar susan " +
  "sushi suzuki sweet sweetheart sweetie sweety swimmer swimming sydney sydneys taco taehyung taiwan taylor taylorswift " +
  "teacher teamo techno teddy teddybear telegram temp temporary tennis tequiero tequila teresa terminator tesla tesoro " +
  "test tester testing testtest tetris texas thailand thankyou thepassword thomas thor thousand three thuglife thunder " +
  "thursday tiamo tiffany tiger tigers tigger tiktok timon timothy tina titanic tobias toby together tokyo tomato topdog " +
  "topgun toronto totoro tottenham toyota tracy trinity truelove trust trustme trustno tucker tuesday tulip tupac turkey " +
  "turkiye turtle tweety twelve twice twins twitter tyler ukraine unicorn universe university unlock uranus ursula usausa " +
  "user vader valentina valeria valerie vampire vancouver vanessa vegeta venezuela venice venus verano veronica victor " +
  "victoria victory vienna viernes vietnam violet viper visa vivian vodka voldemort volkswagen volleyball volvo wachtwoord " +
  "wales warrior warriors watermelon wednesday welcome wendy westham whale whatever whatsapp whiskey white whitesox " +
  "whoknows wien wife william willkommen windows wine winner winners winnie winniepooh winter witch wizard wizards wolf " +
  "wolfgang wolverine wolves woman wonder wrestling xbox xiaomi xmen yahoo yamaha yankees yellow yoda yolanda youtube " +
  "yugioh zaqwsx zayn zebra zelda zeta zeus zidane zoey zombie zoro zurich zxczxc";
