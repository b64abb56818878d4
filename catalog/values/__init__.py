"""From a decision to the current values of a product, and to its status. Each module uses only those before it:

1. `deciding`: record what a person, key or import decides, with the proposal that it answers.
2. `automatic`: record what is auto-accepted, from the marks of the proposal.
3. `recompute`: write the current values that follow from decisions and proposal. Nothing else writes them.
4. `status`: say which status follows from the current values.

All of them work on a product that the caller has locked, in the caller's transaction. The caller, a service, saves the
product.
"""
