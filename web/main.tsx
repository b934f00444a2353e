/** Where the page begins. */
import { render } from 'preact';
import { embeddedReport } from './report/embedded.ts';
import { source } from './report/source.ts';
import { App } from './shell/app.tsx';
import { listenToKeys } from './shell/keys.ts';
import { followAddress } from './state/view.ts';
import './style.css';

followAddress();
listenToKeys();
source.value = await embeddedReport();
render(<App />, document.querySelector('#page') as HTMLElement);
