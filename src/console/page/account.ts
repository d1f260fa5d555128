import { keepPageKey, post } from './api.ts';
import { announce, h, replaceContent } from './dom.ts';
import { createPasskey, hasPasskeys } from './passkey.ts';
import { own } from './text.ts';
import { button, facts, type Frame, type View } from './view.ts';
import { moment } from './when.ts';

export function accountView(frame: Frame): View {
  return {
    title: 'Account',
    async draw() {
      const { main, me } = frame;
      replaceContent(
        main,
        h('h1', { tabindex: '-1' }, 'Account'),
        h(
          'div',
          { class: 'card' },
          facts([
            ['Signed in as', own(me.approver)],
            ['With', me.how === 'link' ? 'a one-time link' : 'a passkey'],
            ['Until', moment(me.until)],
          ]),
          button('Sign out', 'sign-out', '', async () => {
            await post('sign-out');
            keepPageKey(undefined);
            await frame.reload();
          }),
        ),
        h('h2', {}, 'Passkeys'),
        h('p', {}, 'A passkey signs your decisions. Each one works at the address where it was added.'),
        me.passkeys.length > 0 &&
          h(
            'ul',
            { class: 'rows' },
            ...me.passkeys.map(({ fingerprint, addedAt }) =>
              h(
                'li',
                { class: 'card' },
                h('code', {}, fingerprint),
                h(
                  'p',
                  { class: 'muted' },
                  'added ',
                  moment(Date.parse(addedAt)),
                  fingerprint === me.key ? ', in use' : '',
                ),
              ),
            ),
          ),
        enrolment(frame),
      );
    },
  };
}

/** The way to a passkey, by what the session allows. */
export function enrolment({ me, reload }: Frame): HTMLElement {
  if (!me.mayEnrol)
    return h(
      'p',
      { class: 'notice' },
      'To add a passkey, open a new link: ',
      h('code', {}, `holdpoint console link --as ${me.approver}`),
    );
  if (!hasPasskeys()) return h('p', { class: 'notice bad' }, 'This browser has no passkeys here.');
  return h(
    'div',
    { class: 'notice' },
    h('p', {}, 'Add a passkey within ten minutes of opening the link: with it you sign decisions, and sign in later.'),
    button('Add a passkey', 'add-passkey', 'primary', async () => {
      const options = await post<Parameters<typeof createPasskey>[0]>('passkey/offer');
      const credential = await createPasskey(options);
      await post('passkey', { challenge: options.challenge, credential });
      await reload();
      announce('The passkey was added.');
    }),
  );
}
