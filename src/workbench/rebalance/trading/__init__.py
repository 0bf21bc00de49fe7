"""From proposals to market: orders, netting of sleeves, blocks, fair allocation of fills, files for a trader."""
