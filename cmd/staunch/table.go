package main

import (
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"
)

// column is a column of a table. Texts stand on the left, numbers on the right.
type column struct {
	name   string
	number bool
}

// terminalWidth is how many columns w has; 0: w is no terminal, or does not say.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// fit leaves columns out until the table is no wider than width, in the order
// of optional, and tells which it has kept. A column of numbers goes only if all
// of them are 0. A table may stay too wide; width 0 leaves nothing out.
func fit(columns []column, rows [][]string, optional []int, width int) ([]column, [][]string, []int) {
	kept := make([]int, len(columns))
	for i := range kept {
		kept[i] = i
	}
	for _, c := range optional {
		if width == 0 || tableWidth(columns, rows) <= width {
			break
		}
		i := slices.Index(kept, c)
		if columns[i].number && !zeros(rows, i) {
			continue
		}
		kept, columns = without(kept, i), without(columns, i)
		narrower := make([][]string, len(rows))
		for r, row := range rows {
			if row != nil {
				narrower[r] = without(row, i)
			}
		}
		rows = narrower
	}
	return columns, rows, kept
}

func without[T any](list []T, i int) []T { return append(append([]T{}, list[:i]...), list[i+1:]...) }

func zeros(rows [][]string, column int) bool {
	return !slices.ContainsFunc(rows, func(row []string) bool { return row != nil && row[column] != "0" && row[column] != "0.0 %" })
}

// columnWidths are those of a table's columns.
func columnWidths(columns []column, rows [][]string) []int {
	width := make([]int, len(columns))
	for i, c := range columns {
		width[i] = utf8.RuneCountInString(c.name)
		for _, row := range rows {
			if row != nil {
				width[i] = max(width[i], utf8.RuneCountInString(row[i]))
			}
		}
	}
	return width
}

func tableWidth(columns []column, rows [][]string) int {
	total := 2 * (len(columns) - 1)
	for _, w := range columnWidths(columns, rows) {
		total += w
	}
	return total
}

// writeTable writes rows under their columns; a nil row is a rule. paint
// colours a cell that has its width already.
func writeTable(b *strings.Builder, p palette, columns []column, rows [][]string, paint func(row, column int, text string) string) {
	width, total := columnWidths(columns, rows), tableWidth(columns, rows)
	line := func(cells []string, paint func(column int, text string) string) {
		var out []string
		for i, cell := range cells {
			space := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if columns[i].number {
				cell = space + cell
			} else if i < len(cells)-1 {
				cell += space
			}
			out = append(out, paint(i, cell))
		}
		b.WriteString(strings.TrimRight(strings.Join(out, "  "), " ") + "\n")
	}
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
	}
	line(names, func(_ int, text string) string { return p.paint(dim, text) })
	for r, row := range rows {
		if row == nil {
			b.WriteString(p.paint(dim, strings.Repeat("─", total)) + "\n")
			continue
		}
		line(row, func(c int, text string) string { return paint(r, c, text) })
	}
}
