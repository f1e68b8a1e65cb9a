/** What every page runs. The charts are fetched only where a page has them. */

import * as alarm from './alarm';
import * as deadman from './deadman';
import * as desk from './desk';
import * as drawing from './drawing';
import * as hold from './hold';
import * as live from './live';
import * as pad from './pad';
import * as room from './room';
import * as sheet from './sheet';
import * as states from './states';

document.documentElement.classList.add('has-script');
for (const part of [sheet, hold, pad, drawing, desk]) part.start();

const scope = document.querySelector<HTMLElement>('main [data-live]')?.dataset['live'] ?? document.body.dataset['live'];
if (scope !== undefined) {
  for (const part of [room, alarm, states, deadman]) part.start();
  desk.stayAwake();
  const charts = document.querySelector<HTMLElement>('[data-charts]');
  if (charts) void import('./chart').then((chart) => chart.start(charts));
  live.start(scope);
}
