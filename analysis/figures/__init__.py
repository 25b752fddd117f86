"""Result objects drawn with plotly, and written as SVG or PNG. Imports `findings` and all below it."""
