"""Domains where anybody may have a mailbox, so that an address says nothing about a company."""

from __future__ import annotations

_DOMAINS = """
    10minutemail.com 126.com 139.com 163.com 189.cn abv.bg aim.com alice.it aliyun.com aol.com
    aon.at arcor.de atlas.cz att.net azet.sk bbox.fr bell.net bellsouth.net bigpond.com
    bigpond.net.au bk.ru bluewin.ch blueyonder.co.uk bol.com.br btinternet.com casema.nl
    centrum.cz charter.net chello.at citromail.hu club-internet.fr comcast.net comhem.se cox.net
    daum.net dispostable.com docomo.ne.jp duck.com earthlink.net email.com email.cz ezweb.ne.jp
    fastmail.com fastmail.fm foxmail.com free.fr freemail.hu freenet.de frontier.com gazeta.pl
    getnada.com globo.com globomail.com gmail.com gmx.at gmx.ch gmx.com gmx.de gmx.net gmx.us
    googlemail.com guerrillamail.com hanmail.net hetnet.nl hey.com hispeed.ch home.nl hotmail.be
    hotmail.ca hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it hotmail.nl
    hotmail.se hushmail.com i.ua icloud.com ig.com.br iinet.net.au inbox.ru indamail.hu
    indiatimes.com interia.eu interia.pl internet.ru juno.com kakao.com keemail.me kpnmail.nl
    laposte.net libero.it list.ru live.be live.ca live.co.uk live.com live.com.au live.com.mx
    live.de live.dk live.fr live.it live.nl live.no live.se mac.com mail.com mail.de mail.ru
    mailbox.org maildrop.cc mailinator.com me.com meta.ua msn.com nate.com naver.com netzero.net
    neuf.fr nifty.com ntlworld.com o2.pl onet.eu onet.pl online.no op.pl optonline.net
    optusnet.com.au orange.fr outlook.co.uk outlook.com outlook.com.au outlook.com.br outlook.de
    outlook.es outlook.fr outlook.in outlook.it outlook.jp planet.nl pm.me post.com post.cz
    posteo.de posteo.net proton.me protonmail.ch protonmail.com proximus.be qq.com rambler.ru
    rediffmail.com roadrunner.com rocketmail.com rogers.com sapo.pt sbcglobal.net seznam.cz sfr.fr
    sharklasers.com shaw.ca sify.com sina.cn sina.com sky.com skynet.be softbank.ne.jp sohu.com
    spray.se sunrise.ch sympatico.ca t-online.de talktalk.net telenet.be telia.com telus.net
    temp-mail.org terra.com.br throwawaymail.com tin.it tiscali.co.uk tiscali.it tlen.pl
    trashmail.com tuta.io tutamail.com tutanota.com tutanota.de ukr.net uol.com.br usa.com
    verizon.net videotron.ca virgilio.it virginmedia.com walla.co.il walla.com wanadoo.fr web.de
    windstream.net wp.pl xs4all.nl ya.ru yahoo.ca yahoo.co.id yahoo.co.in yahoo.co.jp yahoo.co.uk
    yahoo.com yahoo.com.ar yahoo.com.au yahoo.com.br yahoo.com.hk yahoo.com.mx yahoo.com.ph
    yahoo.com.sg yahoo.com.tr yahoo.com.tw yahoo.com.vn yahoo.de yahoo.es yahoo.fr yahoo.ie
    yahoo.in yahoo.it yahoo.pl yahoo.se yandex.com yandex.ru yeah.net ymail.com yopmail.com
    ziggo.nl zoho.com zohomail.com zohomail.eu zoznam.sk
"""

FREE_MAIL = frozenset(_DOMAINS.split())
"""Registrable domains of mailbox and access providers, and of throw-away addresses."""
