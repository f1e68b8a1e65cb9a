//! A sheet as Apache Parquet: numbers as doubles, absent ones as null.

use super::sheet::{Cells, Sheet};
use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;
use std::sync::Arc;

/// The file's bytes. What was asked stands in its metadata under `chairside`.
///
/// # Errors
/// What the writer says; two columns of one name.
pub fn file(sheet: &Sheet) -> Result<Vec<u8>> {
    let fields = sheet.columns.iter().map(|(name, cells)| field(name, cells).map(Arc::new));
    let schema = Type::group_type_builder("sheet").with_fields(fields.collect::<Result<_>>()?).build()?;
    let about = serde_json::Value::Object(sheet.about.clone()).to_string();
    let about = KeyValue { key: "chairside".to_owned(), value: Some(about) };
    let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![about])).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (name, cells) in &sheet.columns {
        let missing = || ParquetError::General(format!("no place for the column {name}"));
        let mut column = group.next_column()?.ok_or_else(missing)?;
        match cells {
            Cells::Numbers(cells) => {
                let values: Vec<f64> = cells.iter().copied().flatten().collect();
                let there: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
                column.typed::<DoubleType>().write_batch(&values, Some(&there), None)?;
            }
            Cells::Words(cells) => {
                let values: Vec<ByteArray> = cells.iter().map(|cell| cell.as_str().into()).collect();
                column.typed::<ByteArrayType>().write_batch(&values, None, None)?;
            }
        }
        column.close()?;
    }
    group.close()?;
    writer.into_inner()
}

fn field(name: &str, cells: &Cells) -> Result<Type> {
    let (physical, repetition, logical) = match cells {
        Cells::Numbers(_) => (Physical::DOUBLE, Repetition::OPTIONAL, None),
        Cells::Words(_) => (Physical::BYTE_ARRAY, Repetition::REQUIRED, Some(LogicalType::String)),
    };
    Type::primitive_type_builder(name, physical)
        .with_repetition(repetition)
        .with_logical_type(logical)
        .build()
}
