/** The tab that runs programs in the page. */
import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { portableEngineNames } from '../../src/engines/engine-names.ts';
import { theme } from '../state/view.ts';
import { type Example, examples } from './examples.ts';
import {
  argumentText,
  engine,
  files,
  isInspected,
  memoryLimit,
  outputLimit,
  program,
  removeFile,
  takeExample,
  takeFiles,
  takeProgram,
} from './program.ts';
import { inspect, isRunning, made, problem, runState, start, stop } from './run-state.ts';
import { terminal } from './terminal.ts';

export function RunTab() {
  const [isOver, setOver] = useState(false);
  return (
    <section
      class={isOver ? 'runner over' : 'runner'}
      aria-label="Run a program"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void takeProgram(event.dataTransfer?.files ?? []);
      }}
    >
      <Settings />
      <div class="screen">
        <Screen />
        <Foot />
      </div>
    </section>
  );
}

function Settings() {
  return (
    <form
      class="settings"
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
    >
      <ProgramField />
      <label>
        <span>Arguments</span>
        <input
          type="text"
          value={argumentText.value}
          spellcheck={false}
          autocomplete="off"
          aria-invalid={problem.value !== ''}
          aria-describedby="arguments-problem"
          onInput={({ currentTarget }) => {
            argumentText.value = currentTarget.value;
          }}
        />
        <span id="arguments-problem" class="problem" role="alert">
          {problem.value}
        </span>
      </label>
      <div class="pair">
        <label>
          <span>Engine</span>
          <select
            value={engine.value}
            onChange={({ currentTarget }) => {
              engine.value = currentTarget.value as typeof engine.value;
            }}
          >
            {portableEngineNames.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <Limit title="Memory, MiB" limit={memoryLimit} most={2000} />
        <Limit title="Output, MiB" limit={outputLimit} most={1000} />
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={isInspected.value}
          onChange={({ currentTarget }) => {
            isInspected.value = currentTarget.checked;
          }}
        />
        <span>Collect translations and count what they run</span>
      </label>
      <div class="actions">
        <button type="submit" class="primary" disabled={program.value === undefined || isRunning.value}>
          Run
        </button>
        <button type="button" disabled={runState.value.kind !== 'running'} onClick={stop}>
          Stop
        </button>
      </div>
      <Files />
      <Examples />
    </form>
  );
}

function ProgramField() {
  const chosen = program.value;
  return (
    <label class="drop">
      <input
        type="file"
        id="program"
        multiple
        onChange={({ currentTarget }) => {
          void takeProgram(currentTarget.files ?? []);
          currentTarget.value = '';
        }}
      />
      {chosen === undefined ? (
        <>
          <strong>Choose a program, or drop one here</strong>
          <span>an ELF file, statically linked, for Linux on PowerPC (32-bit), i386 or x86-64</span>
        </>
      ) : (
        <>
          <strong>{chosen.path}</strong>
          <span>{size(chosen.bytes.length)} · another one: choose it, or drop it here</span>
        </>
      )}
    </label>
  );
}

function Limit({ title, limit, most }: { title: string; limit: { value: number }; most: number }) {
  return (
    <label>
      <span>{title}</span>
      <input
        type="number"
        min={1}
        max={most}
        required
        value={limit.value}
        onChange={({ currentTarget }) => {
          if (currentTarget.checkValidity()) limit.value = currentTarget.valueAsNumber;
          else currentTarget.reportValidity();
        }}
      />
    </label>
  );
}

function Files() {
  return (
    <details open={files.value.length > 0 || made.value.length > 0}>
      <summary>Files</summary>
      <p class="soft">The program finds them in its directory, /home/user. They are in memory, and go with the page.</p>
      <ul class="files">
        {files.value.map(({ path, bytes }) => (
          <li key={path}>
            <code>{path}</code>
            <span class="soft">{size(bytes.length)}</span>
            <button type="button" aria-label={`Remove ${path}`} onClick={() => removeFile(path)}>
              ×
            </button>
          </li>
        ))}
        {made.value.map(({ path, bytes }) => (
          <li key={path}>
            <code>{path.replace('/home/user/', '')}</code>
            <span class="soft">{size(bytes.length)}, from the program</span>
            <button type="button" aria-label={`Save ${path}`} onClick={() => save(path, bytes)}>
              Save
            </button>
          </li>
        ))}
      </ul>
      <label class="add">
        <input
          type="file"
          multiple
          onChange={({ currentTarget }) => {
            void takeFiles(currentTarget.files ?? []);
            currentTarget.value = '';
          }}
        />
        Add files
      </label>
    </details>
  );
}

function Examples() {
  return (
    <div class="examples">
      <h2>Examples</h2>
      <ul>
        {examples.map((example) => (
          <li key={example.title}>
            <strong>{example.title}</strong> <span class="soft">{example.doc}</span>
            <div>
              {Object.entries(example.programs).map(([machine, name]) => (
                <button key={name} type="button" onClick={() => void tryExample(example, name)}>
                  {machine}
                  <span class="hidden"> {example.title}</span>
                </button>
              ))}
            </div>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Chooses an example and runs it, where nothing else runs. */
async function tryExample(example: Example, name: string): Promise<void> {
  if (isRunning.value) return;
  await takeExample(example, name);
  await start();
}

function Screen() {
  const place = useRef<HTMLElement>(null);
  useEffect(() => terminal.attach(place.current as HTMLElement), []);
  useSignalEffect(() => {
    const now = theme.value === 'dark' ? 'dark' : 'light';
    // When the page has its new colours.
    requestAnimationFrame(() => terminal.dress(now));
  });
  return <section class="place" ref={place} aria-label="The program’s terminal" />;
}

function Foot() {
  const state = runState.value;
  const text = {
    idle: program.value === undefined ? 'No program yet' : 'Ready to run',
    starting: 'Starting',
    running: 'Running: what you type in the terminal is the program’s; Shift+Tab leaves it',
    stopping: 'Stopping',
    ended: '',
  }[state.kind];
  return (
    <footer class="foot">
      <div class="line">
        <span role="status" class={state.kind === 'ended' ? (state.isGood ? 'good' : 'bad') : 'soft'}>
          {state.kind === 'ended' ? state.text : text}
        </span>
        {state.kind !== 'idle' && (
          <button type="button" onClick={() => void navigator.clipboard.writeText(`${terminal.text}\n`)}>
            Copy output
          </button>
        )}
        {state.kind === 'ended' && state.statistics !== '' && (
          <button type="button" class="primary" disabled={state.translations === 0} onClick={() => void inspect()}>
            {inspectTitle(state.translations)}
          </button>
        )}
      </div>
      {state.kind === 'ended' && state.statistics !== '' && (
        <details>
          <summary>Statistics</summary>
          <pre>{state.statistics}</pre>
        </details>
      )}
    </footer>
  );
}

function inspectTitle(translations: number): string {
  if (!isInspected.value) return 'Translations were not collected';
  if (translations === 0) return 'Nothing was translated';
  return `Inspect ${translations} ${translations === 1 ? 'translation' : 'translations'}`;
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1 << 20 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / (1 << 20)).toFixed(1)} MiB`;
}

/** Hands a file to the browser's downloads. */
function save(path: string, bytes: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  const link = document.createElement('a');
  link.href = url;
  link.download = path.slice(path.lastIndexOf('/') + 1);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
