/** Where the page begins. */
import { render } from 'preact';
import { App } from './shell/app.tsx';
import { followAddress } from './state/view.ts';
import './style.css';

followAddress();
render(<App />, document.querySelector('#page') as HTMLElement);
