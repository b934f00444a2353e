/** The frame around everything: the bar with the tabs, and the tab that is open. */
import { useSignalEffect } from '@preact/signals';
import { change, switchTheme, theme, view } from '../state/view.ts';
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
        <button type="button" class="theme" onClick={switchTheme} aria-label="Switch between light and dark">
          {theme.value === 'dark' ? 'Light' : 'Dark'}
        </button>
      </header>
      <main>
        <div id="content" role="tabpanel" aria-label={title}>
          <Content />
        </div>
      </main>
    </>
  );
}
