/** Words of sharing a map with the public. */

import type { Words } from './words';

export const SHARING = {
  shareMap: { ja: '共有', en: 'Share' },
  shareTitle: { ja: '地図を共有する', en: 'Share this map' },
  shareLead: {
    ja: 'リンクを知っている人は、だれでもログインなしで見られます。表示されるのは、一般に公開できるデータだけです。',
    en: 'Whoever has the link sees it without logging in. It shows only what may be shown to everybody.',
  },
  shareName: { ja: '題名', en: 'Title' },
  shareNameUsual: { ja: '避難所の開設状況', en: 'Shelters that are open' },
  shareNote: { ja: 'ひとこと（任意）', en: 'A note (may be empty)' },
  shareLayers: { ja: '見せる内容', en: 'What to show' },
  shareUntil: { ja: '公開する期間', en: 'How long' },
  shareHours: { ja: '{n}時間', en: '{n} hours' },
  shareDays: { ja: '{n}日間', en: '{n} days' },
  shareLanguage: { ja: '最初に開く言語', en: 'Opens in' },
  shareWhere: { ja: '範囲', en: 'Area' },
  shareHere: { ja: 'いま表示している範囲', en: 'What the map shows now' },
  shareNoPlace: { ja: '共有する場所を地図に表示してから、もう一度開いてください', en: 'Show the place on the map first, then share it' },
  shareTooWide: { ja: '範囲が広すぎます。地図を拡大してから共有してください', en: 'The area is too large: zoom in, then share it' },
  shareAll: { ja: '避難所のある範囲すべて', en: 'Everywhere there are shelters' },
  shareMake: { ja: 'リンクを作る', en: 'Make the link' },
  shareMade: { ja: 'リンクができました', en: 'The link is ready' },
  shareOpen: { ja: '開いて確かめる', en: 'Open it' },
  shareLine: { ja: 'LINEで送る', en: 'Send by LINE' },
  shareCode: { ja: 'QRコード', en: 'QR code' },
  shareList: { ja: '共有中の地図', en: 'Maps that are shared' },
  shareNone: { ja: '共有中の地図はありません', en: 'No map is shared' },
  shareBy: { ja: '{at} に {who} が作成、{until} まで', en: 'made {at} by {who}, until {until}' },
  shareKey: { ja: 'アクセスキー', en: 'a key' },
  shareEnd: { ja: '共有を終了', en: 'End it' },
  shareEndSure: { ja: '「{title}」の共有を終了しますか。リンクはすぐに使えなくなります。', en: 'End “{title}”? The link stops working at once.' },
  shareEnded: { ja: '共有を終了しました', en: 'The share has ended' },
  shareDrills: { ja: '訓練・試験も見せる', en: 'Show drills and tests, too' },
  shareOwn: {
    ja: 'このアドレスはこの機械でしか開けません。QRコードやLINEで送っても、ほかの人の画面には出ません。システムの管理者に、公開用のアドレスの設定（GEOSHARE_PUBLIC_URL、説明書 docs/https.md）を依頼してください。',
    en: 'This address works on this machine alone: nobody who gets the link or the QR code can open it. Ask the administrator to set the public address (GEOSHARE_PUBLIC_URL, see docs/https.md).',
  },
  shareDenied: {
    ja: '共有するには「状況の更新」または「組織の管理」の権限、あるいは組織のキーが必要です。',
    en: 'Sharing needs the role of an editor or administrator, or a key of your organisation.',
  },
} as const satisfies Words;
