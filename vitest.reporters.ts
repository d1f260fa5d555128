/** The usual report, and the counts as JSON where CI asks for them. */
export function reporters() {
  const file = process.env['HOLDPOINT_TEST_REPORT'];
  return file ? { reporters: ['default', 'json'], outputFile: { json: file } } : {};
}
