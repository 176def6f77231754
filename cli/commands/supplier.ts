// moult supplier: who else releases images, and for what.
import { openSource, type Supplier } from '../../repo/index.ts';
import type { AddCommand } from '../main.ts';
import { collect, readInput, type Session } from '../session.ts';
import { showPublication } from './publish.ts';

interface AddOptions {
  readonly root: string;
  readonly path: string[];
  readonly hardwareId: string[];
  readonly terminating?: boolean;
}

interface AgreeOptions extends Omit<AddOptions, 'root'> {
  readonly of: string[];
  readonly least: string;
}

const EXAMPLES = `
A supplier has a repository of its own ("moult init"), where it releases with its own keys. Here its releases become those
of a delegated role, byte for byte as it signed them, for the paths and boards that it was given and for no others.

Examples:
  moult supplier add radio-works --root radio-works.root.json --path 'radio/radio-1/*/*' --hardware-id radio-1
  moult supplier pull radio-works --from https://updates.radio-works.example
  moult supplier agree radio --of radio-works --of test-house --least 2 --path 'radio/radio-1/*/*'
  moult supplier list
  moult supplier remove radio-works`;

export const addSupplier: AddCommand = (program, run) => {
  const supplier = program
    .command('supplier')
    .description('delegate paths to a supplier with keys of its own');
  supplier.addHelpText('after', EXAMPLES);
  supplier
    .command('add <name>')
    .description('delegate paths to a supplier')
    .requiredOption('--root <file>', 'the root of its repository, from which its keys are followed')
    .requiredOption(
      '--path <pattern>',
      'paths that it may release; * and ? stand for no slash; may be repeated',
      collect,
      [],
    )
    .option(
      '--hardware-id <id>',
      'a board that it may release for (default: any); may be repeated',
      collect,
      [],
    )
    .option('--terminating', 'nobody delegated to later may release these paths')
    .addHelpText('after', EXAMPLES)
    .action(run(add));
  supplier
    .command('agree <name>')
    .description('delegate paths to several suppliers, of whom some must say the same')
    .requiredOption(
      '--of <supplier>',
      'one of them, added before; repeated, the first one first',
      collect,
      [],
    )
    .requiredOption('--least <number>', 'how many must say the same')
    .requiredOption('--path <pattern>', 'paths that they may release; may be repeated', collect, [])
    .option('--hardware-id <id>', 'a board that they may release for (default: any)', collect, [])
    .option('--terminating', 'nobody delegated to later may release these paths')
    .addHelpText('after', EXAMPLES)
    .action(run(agree));
  supplier
    .command('pull <name>')
    .description('take over what a supplier released, and let clients see it')
    .requiredOption('--from <place>', 'its repository: a folder or a URL')
    .addHelpText('after', EXAMPLES)
    .action(run(pull));
  supplier
    .command('list')
    .description('show who is delegated to')
    .addHelpText('after', EXAMPLES)
    .action(run(list));
  supplier
    .command('remove <name>')
    .description('delegate to a supplier no more: clients take none of its releases from now on')
    .addHelpText('after', EXAMPLES)
    .action(run(remove));
};

async function add(session: Session, name: string, options: AddOptions): Promise<void> {
  const { path: paths, hardwareId, terminating = false } = options;
  const root = await readInput('the root of the supplier', session.path(options.root));
  const repository = await session.openRepository();
  const hardwareIds = hardwareId.length > 0 && { hardwareIds: hardwareId };
  const publication = await repository.addSupplier({ name, root, paths, terminating, ...hardwareIds });
  showPublication(session, publication);
  session.output.event(`${name} may release ${paths.join(', ')}`);
  session.output.line(`  Next: moult supplier pull ${name} --from PLACE`);
}

async function agree(session: Session, name: string, options: AgreeOptions): Promise<void> {
  const { of: suppliers, path: paths, hardwareId, terminating = false } = options;
  const least = Number(options.least);
  const repository = await session.openRepository();
  const hardwareIds = hardwareId.length > 0 && { hardwareIds: hardwareId };
  showPublication(
    session,
    await repository.agreeSuppliers({ name, suppliers, least, paths, terminating, ...hardwareIds }),
  );
  session.output.event(`what ${least} of ${suppliers.join(', ')} say the same of is released`);
}

async function pull(session: Session, name: string, options: { from: string }): Promise<void> {
  const { output } = session;
  const repository = await session.openRepository();
  const place = /^https?:/i.test(options.from) ? options.from : session.path(options.from);
  const supply = await repository.pullSupplier(name, await openSource(place));
  showPublication(session, supply);
  if (supply.rekeyed) output.event(`${name} has new keys, by its own root`, 'warn');
  const changed = supply.roles.length > 0;
  output.event(
    changed ? `${name} ${supply.version} is published` : `${name} has nothing newer than ${supply.version}`,
  );
}

async function list(session: Session): Promise<void> {
  const repository = await session.openRepository();
  const suppliers = await repository.suppliers();
  for (const supplier of suppliers) session.output.event(describe(supplier), 'plain');
  if (suppliers.length === 0) session.output.event('nobody is delegated to', 'plain');
  session.output.result(suppliers);
}

function describe(supplier: Supplier): string {
  const { name, version, paths = [], hardwareIds, threshold, keyids, agreement } = supplier;
  const agreed = agreement ? `; counts where ${agreement.least} of ${agreement.name} agree` : '';
  const boards = hardwareIds === undefined ? 'any board' : hardwareIds.join(', ');
  const seen = version === 0 ? 'nothing pulled yet' : `version ${version}`;
  return `${name}: ${paths.join(', ')} for ${boards}; ${threshold} of ${keyids.length} keys; ${seen}${agreed}`;
}

async function remove(session: Session, name: string): Promise<void> {
  const repository = await session.openRepository();
  showPublication(session, await repository.removeSupplier(name));
  session.output.event(`${name} is delegated to no more`);
}
