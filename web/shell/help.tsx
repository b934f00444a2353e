/** The dialog that tells what keys do. */
import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { KeyRow } from './keys.ts';

export const helpIsOpen = signal(false);

const close = (): void => {
  helpIsOpen.value = false;
};

export function Help({ rows }: { readonly rows: readonly KeyRow[] }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = helpIsOpen.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={close}>
      <h2 id="help-title">Keys</h2>
      <table>
        <tbody>
          {rows.map(({ shown, doc }) => (
            <tr key={doc}>
              <th scope="row">{shown.map((key) => (key === '…' ? ' … ' : <kbd key={key}>{key}</kbd>))}</th>
              <td>{doc}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        Point at a line of any pane: what became of the same guest instruction lights up in all of them. A click selects
        it, and the other panes go there. The address of the page keeps what is shown: copy it to share it.
      </p>
      <button type="button" onClick={close}>
        Close
      </button>
    </dialog>
  );
}
