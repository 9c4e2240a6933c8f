//! Which functions can still be called.

use std::collections::BTreeSet;

use wasmparser::{
    ConstExpr, ElementItems, ElementSectionReader, FunctionBody, GlobalSectionReader, ImportSectionReader,
    Operator, TypeRef,
};

use crate::Error;

/// Numbers of functions that can be called.
pub type Reached = BTreeSet<u32>;

/// How many functions are imported: theirs are the first numbers.
pub fn imported_functions(imports: ImportSectionReader<'_>) -> Result<u32, Error> {
    let mut count = 0_u32;
    for import in imports.into_imports() {
        if let TypeRef::Func(_) | TypeRef::FuncExact(_) = import?.ty {
            count = count.saturating_add(1);
        }
    }
    Ok(count)
}

/// The functions of tables: each can be called by its place, so all of them count.
pub fn functions_of(elements: ElementSectionReader<'_>) -> Result<Vec<u32>, Error> {
    let mut found = Vec::new();
    for element in elements {
        match element?.items {
            ElementItems::Functions(functions) => {
                for function in functions {
                    found.push(function?);
                }
            }
            ElementItems::Expressions(_, expressions) => {
                for expression in expressions {
                    functions_of_expression(&expression?, &mut found)?;
                }
            }
        }
    }
    Ok(found)
}

/// The functions that globals hold.
pub fn functions_in(globals: GlobalSectionReader<'_>) -> Result<Vec<u32>, Error> {
    let mut found = Vec::new();
    for global in globals {
        functions_of_expression(&global?.init_expr, &mut found)?;
    }
    Ok(found)
}

fn functions_of_expression(expression: &ConstExpr<'_>, found: &mut Vec<u32>) -> Result<(), Error> {
    for operator in expression.get_operators_reader() {
        found.extend(function_of(&operator?));
    }
    Ok(())
}

/// The function that an operator names.
fn function_of(operator: &Operator<'_>) -> Option<u32> {
    match operator {
        Operator::Call { function_index }
        | Operator::ReturnCall { function_index }
        | Operator::RefFunc { function_index } => Some(*function_index),
        _ => None,
    }
}

/// What can be called from these functions, themselves included.
pub fn from(roots: Vec<u32>, imported: u32, bodies: &[FunctionBody<'_>]) -> Result<Reached, Error> {
    let mut reached = Reached::new();
    let mut ahead = roots;
    while let Some(number) = ahead.pop() {
        if !reached.insert(number) {
            continue;
        }
        // An imported one has no body here.
        let place = number.checked_sub(imported).and_then(|place| usize::try_from(place).ok());
        if let Some(body) = place.and_then(|place| bodies.get(place)) {
            for operator in body.get_operators_reader()? {
                ahead.extend(function_of(&operator?));
            }
        }
    }
    Ok(reached)
}
