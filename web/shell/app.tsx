/** The frame around everything: the bar with the tabs, and the tab that is open. */
import { useSignalEffect } from '@preact/signals';
import { source } from '../report/source.ts';
import { change, switchTheme, theme, view } from '../state/view.ts';
import { Help, helpIsOpen } from './help.tsx';
import { keyRows } from './keys.ts';
import { tabs } from './tabs.ts';

export function App() {
  useSignalEffect(() => {
    document.documentElement.dataset.theme = theme.value;
  });
  const { id, title, Content } = tabs.find((tab) => tab.id === view.value.tab) ?? tabs[0];
  return (
    <>
      <header class="bar">
        <strong class="brand">Stele</strong>
        <div class="tabs" role="tablist" aria-label="Views">
          {tabs.map((tab) => (
            <button
              key={tab.id}
              type="button"
              role="tab"
              aria-selected={tab.id === id}
              aria-controls="content"
              onClick={() => change({ tab: tab.id })}
            >
              {tab.title}
            </button>
          ))}
        </div>
        <Program />
        <button type="button" class="icon" onClick={switchTheme} title="Switch between light and dark (t)">
          {theme.value === 'dark' ? 'Light' : 'Dark'}
        </button>
        <button
          type="button"
          class="icon"
          aria-label="Keys"
          title="Keys (?)"
          onClick={() => {
            helpIsOpen.value = true;
          }}
        >
          ?
        </button>
      </header>
      <main>
        <div id="content" role="tabpanel" aria-label={title}>
          <Content />
        </div>
      </main>
      <Help rows={keyRows} />
    </>
  );
}

/** What ran, and how it ended. */
function Program() {
  const summary = source.value?.summary;
  if (summary === undefined) return <span class="program" />;
  const { program, arguments: args, abi, engine, outcome } = summary;
  const end =
    outcome === null
      ? 'not run'
      : 'exit' in outcome
        ? `exit status ${outcome.exit}`
        : `ended by signal ${outcome.signal}`;
  return (
    <span class="program">
      <code title={[program, ...args].join(' ')}>{[program, ...args].join(' ')}</code>
      <span class="soft">
        {abi} · {engine} · {end}
      </span>
    </span>
  );
}
