/** The words of a shared map in Japanese, easy Japanese and English; `{字|よみ}` is a reading. */

import { chosen, language, type Choice } from '../shared/language';
import { ruby, withoutRuby } from '../shared/ruby';

type Words = Record<Choice, string>;
const words = (ja: string, easy: string, en: string): Words => ({ ja, 'ja-easy': easy, en });

export const WORDS = {
  kicker: words('共有地図', 'みんなに {見|み}せる {地図|ちず}', 'Shared map'),
  by: words('{by} が共有', '{by} が {出|だ}しています', 'Shared by {by}'),
  asOf: words('{at} 現在', '{at} の {情報|じょうほう}です', 'As of {at}'),
  stale: words('通信できません。{at} 時点の情報です。', 'インターネットに つながりません。{at} の {情報|じょうほう}です。', 'No connection. This is as of {at}.'),
  until: words('この地図は {at} まで表示されます', 'この {地図|ちず}は {at} まで {見|み}ることが できます', 'This map is shown until {at}'),
  made: words('作成 {at}', '{作|つく}った{時間|じかん} {at}', 'Made {at}'),
  map: words('地図', '{地図|ちず}', 'Map'),
  mapKeys: words(
    '地図。矢印キーで移動、プラスとマイナスで拡大・縮小します。', '{地図|ちず}。やじるしの キーで {動|うご}きます。', 'Map. Arrow keys move it, plus and minus zoom.',
  ),
  larger: words('拡大', '{大|おお}きくする', 'Zoom in'),
  smaller: words('縮小', '{小|ちい}さくする', 'Zoom out'),
  whole: words('全体を表示', 'ぜんぶ {見|み}る', 'Show everything'),
  locate: words('現在地', '{今|いま} いる ところ', 'My position'),
  locateFailed: words('現在地を取得できません', '{今|いま} いる ところが わかりません', 'Your position cannot be found'),
  shelters: words('避難所', '{避難所|ひなんじょ}（にげて とまる ところ）', 'Shelters'),
  evacuation_sites: words('指定緊急避難場所', 'すぐに にげる ところ', 'Emergency evacuation sites'),
  evacuation_areas: words('避難情報', '「にげて ください」の お{知|し}らせ', 'Evacuation information'),
  events: words('通行止め・規制', '{通|とお}れない {道|みち}', 'Closed roads'),
  warnings: words('警報・注意報', '{天気|てんき}や {津波|つなみ}の {注意|ちゅうい}', 'Warnings'),
  water_points: words('給水所', '{水|みず}を もらえる ところ', 'Drinking water'),
  hazard_zones: words('災害想定区域', 'あぶなくなる かもしれない ところ', 'Hazard zones'),
  openCount: words('{n} か所が開設中', '{n}つの {避難所|ひなんじょ}が {開|あ}いています', '{n} open now'),
  noneOpen: words('開設中の避難所はありません', '{開|あ}いている {避難所|ひなんじょ}は ありません', 'No shelter is open now'),
  noShelters: words('この範囲の避難所の情報はありません', 'ここの {避難所|ひなんじょ}の ことは わかりません', 'Nothing is known of shelters here'),
  all: words('すべて', 'ぜんぶ', 'All'),
  nothing: words('該当するものはありません', 'ありません', 'None'),
  nearest: words('近い順', '{近|ちか}い ところから', 'Nearest first'),
  away: words('約{n} km', '{約|やく}{n}キロ', '{n} km away'),
  awayMetres: words('約{n} m', '{約|やく}{n}メートル', '{n} m away'),
  people: words('避難者 {n}人', '{今|いま} {n}{人|にん} います', '{n} people there'),
  capacity: words('定員 {n}人', '{n}{人|にん}まで {入|はい}れます', 'Room for {n}'),
  petsYes: words('ペット可', 'ペットも いっしょに {行|い}けます', 'Pets accepted'),
  petsNo: words('ペット不可', 'ペットは {行|い}けません', 'No pets'),
  welfare: words('福祉避難所', 'お{年寄|としよ}りや {体|からだ}の {不自由|ふじゆう}な {人|ひと}の ための ところ', 'For people needing care'),
  updated: words('{at} 更新', '{at} に {変|か}わりました', 'Updated {at}'),
  since: words('{at} から', '{at} から', 'Since {at}'),
  to: words('{at} まで', '{at} まで', 'Until {at}'),
  showOnMap: words('地図で見る', '{地図|ちず}で {見|み}る', 'Show on the map'),
  more: words('件数が多いため一部だけを表示しています', '{多|おお}いので {少|すこ}しだけ {見|み}せて います', 'There are more than can be listed here'),
  goodFor: words('対応する災害', 'この とき {行|い}けます', 'For'),
  legend: words('地図の見かた', '{地図|ちず}の しるしの {意味|いみ}', 'Legend'),
  sources: words('出典・利用条件', '{情報|じょうほう}は ここから', 'Sources and terms'),
  send: words('この地図を知らせる', 'この {地図|ちず}を {人|ひと}に {教|おし}える', 'Pass this map on'),
  line: words('LINEで送る', 'LINEで {送|おく}る', 'Send by LINE'),
  share: words('ほかのアプリで送る', 'ほかの アプリで {送|おく}る', 'Share'),
  copy: words('リンクをコピー', 'リンクを コピーする', 'Copy the link'),
  copied: words('コピーしました', 'コピーしました', 'Copied'),
  code: words('QRコード', 'QRコード', 'QR code'),
  language: words('言語', 'ことば', 'Language'),
  gone: words('この地図は表示できません', 'この {地図|ちず}は {見|み}ることが できません', 'This map cannot be shown'),
  goneWhy: words(
    '共有が終了したか、リンクが正しくありません。最新の情報は、お住まいの市区町村にご確認ください。',
    '{見|み}せる {時間|じかん}が {終|お}わったか、リンクが まちがって います。{新|あたら}しい ことは {市役所|しやくしょ}・{町役場|まちやくば}に {聞|き}いて ください。',
    'It is over, or the link is not right. Please ask your municipality for the latest information.',
  ),
  drill: words('訓練', '{訓練|くんれん}（れんしゅう）', 'DRILL'),
  test: words('試験', 'テスト（れんしゅう）', 'TEST'),
  level: words('警戒レベル{n}', '{警戒|けいかい}レベル{n}', 'Level {n}'),
  act3: words('高齢者等避難', 'お{年寄|としよ}りや {時間|じかん}が かかる {人|ひと}は にげて ください', 'Elderly and those needing time: evacuate'),
  act4: words('避難指示', '{危|あぶ}ない ところから {全員|ぜんいん} にげて ください', 'Everybody: evacuate now'),
  act5: words('緊急安全確保', 'とても {危|あぶ}ないです。すぐに {命|いのち}を {守|まも}って ください', 'Emergency: protect your life at once'),
  dangerous: words('', 'あぶないです。{市役所|しやくしょ}・{町役場|まちやくば}の お{知|し}らせを {見|み}て ください。', ''),
  moreAlerts: words('ほか {n} 件の情報を見る', 'お{知|し}らせが あと {n}つ あります', '{n} more alerts'),
  fewerAlerts: words('閉じる', 'とじる', 'Show fewer'),
  lifted: words('解除', '{終|お}わりました', 'Lifted'),
} as const satisfies Record<string, Words>;

export type Word = keyof typeof WORDS;
type Filled = Record<string, string | number>;

const fillIn = (text: string, values: Filled): string =>
  text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''));

/** A word as text. */
export const say = (word: Word, values: Filled = {}): string => withoutRuby(fillIn(WORDS[word][chosen()], values));

/** A word with its readings, for the page. */
export const show = (word: Word, values: Filled = {}): DocumentFragment => ruby(fillIn(WORDS[word][chosen()], values));

const CODES: Record<string, Record<string, Words>> = {
  shelters: {
    open: words('開設', '{開|あ}いています', 'Open'),
    full: words('満員', 'いっぱいです', 'Full'),
    preparing: words('開設準備中', '{準備|じゅんび}して います', 'Preparing'),
    not_open: words('未開設', 'まだ {開|あ}いて いません', 'Not open'),
    closed: words('閉鎖', '{閉|し}まりました', 'Closed'),
    unknown: words('未確認', '{開|あ}いているか わかりません', 'State unknown'),
  },
  water_points: {
    open: words('給水中', '{水|みず}が もらえます', 'Water now'),
    planned: words('予定', 'これから はじまります', 'Planned'),
    suspended: words('中断中', '{今|いま}は {止|と}まって います', 'Suspended'),
    closed: words('終了', '{終|お}わりました', 'Closed'),
    unknown: words('未確認', 'わかりません', 'State unknown'),
  },
  roads: {
    closed: words('通行止め', '{通|とお}れません', 'Closed'),
    restricted: words('規制あり', '{通|とお}りにくいです', 'Restricted'),
    planned: words('予定・訓練', '{今|いま}は {止|と}めて いません', 'Planned, or a drill'),
  },
  regulation_category: {
    closedWeather: words('気象による通行止め', '{雨|あめ}や {風|かぜ}の ため {通|とお}れません', 'Closed by weather'),
    closedConstruction: words('工事による通行止め', '{工事|こうじ}の ため {通|とお}れません', 'Closed for works'),
    closedHeavyVehicle: words('大型車通行止め', '{大|おお}きい {車|くるま}は {通|とお}れません', 'Closed to heavy vehicles'),
    closedWinter: words('冬期閉鎖', '{冬|ふゆ}は {通|とお}れません', 'Closed in winter'),
    laneRestriction: words('車線規制', '{道|みち}が せまく なって います', 'Lane restriction'),
    alternatingOneWay: words('片側交互通行', 'かわるがわる {通|とお}ります', 'Alternating one way'),
    mobileRestriction: words('移動規制', '{動|うご}く {工事|こうじ}が あります', 'Moving works'),
    chainRestriction: words('チェーン規制', 'チェーンが いります', 'Chains needed'),
    chainGuidance: words('チェーン指導', 'チェーンを つけて ください', 'Chains advised'),
  },
  supply: {
    tanker: words('給水車', '{水|みず}の {車|くるま}', 'Tanker'),
    tank: words('仮設水槽', '{水|みず}の タンク', 'Tank'),
    hydrant: words('応急給水栓', '{水道|すいどう}の じゃぐち', 'Standpipe'),
    well: words('井戸', 'いど', 'Well'),
    bottled: words('ペットボトル', 'ペットボトル', 'Bottled'),
  },
  hazards: {
    flood: words('洪水', '{川|かわ}の {水|みず}が あふれる', 'Flood'),
    landslide: words('土砂災害', 'がけが くずれる', 'Landslide'),
    storm_surge: words('高潮', '{海|うみ}の {水|みず}が {高|たか}くなる', 'Storm surge'),
    earthquake: words('地震', '{地震|じしん}', 'Earthquake'),
    tsunami: words('津波', '{津波|つなみ}', 'Tsunami'),
    great_fire: words('大規模火災', '{大|おお}きな {火事|かじ}', 'Large fire'),
    inland_flood: words('内水氾濫', '{町|まち}に {水|みず}が たまる', 'Inland flood'),
    eruption: words('火山', '{火山|かざん}', 'Volcano'),
    heavy_rain: words('大雨', '{大雨|おおあめ}', 'Heavy rain'),
    storm: words('暴風・強風', 'とても {強|つよ}い {風|かぜ}', 'Storm'),
    snow: words('大雪・風雪', 'たくさんの {雪|ゆき}', 'Heavy snow'),
    wave: words('波浪', '{高|たか}い {波|なみ}', 'High waves'),
  },
};

/** A coded value with its readings; the code itself where it has no words. */
export function shown(kind: string, code: string): DocumentFragment {
  return ruby(CODES[kind]?.[code]?.[chosen()] ?? code);
}

export const said = (kind: string, code: string): string => withoutRuby(CODES[kind]?.[code]?.[chosen()] ?? code);

export const easy = (): boolean => chosen() === 'ja-easy';

/** A moment as this page says it; in easy Japanese in plain words. */
export function moment(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const options: Intl.DateTimeFormatOptions = {
    timeZone: 'Asia/Tokyo', month: language() === 'ja' ? 'numeric' : 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
  };
  if (!easy()) return new Intl.DateTimeFormat(language() === 'ja' ? 'ja-JP' : 'en-GB', { ...options, weekday: 'short' }).format(date);
  const parts = Object.fromEntries(new Intl.DateTimeFormat('ja-JP', { ...options, month: 'numeric' }).formatToParts(date).map(({ type, value }) => [type, value]));
  return `${parts.month}{月|がつ}${parts.day}{日|にち} ${Number(parts.hour)}{時|じ}${parts.minute}{分|ふん}`;
}
